import ArgumentParser
import OMImage
import OMJSON
import OMRun
import OMStore

/// `omtask verify`: reads every chunk and says what is damaged.
struct VerifyCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read every chunk of an image, plate, well or array and say what is damaged.",
    discussion: """
      All levels and all label images are read and decoded, and metadata are compared with what is \
      there. Of an archive every checksum is compared. Without damage the exit code is 0, else that of the gravest.
      """)

  @Argument(help: "The image, plate, well, label image or array.")
  var uri: String

  @Flag(
    help: """
      List complete label images that the list lacks, bring consolidated metadata up to date, and \
      remove what finished runs left; data are never touched.
      """)
  var repair = false

  @Flag(help: "Follow links, and paths of collections, that leave the image or folder.")
  var followLinks = false

  @Flag(help: "Answer with JSON.")
  var json = false

  @OptionGroup(title: "Running") var resources: ResourceFlags

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    var options = VerifyOptions()
    options.threads = resources.threads.count(in: context.environment)
    options.memory =
      resources.memory?.bytes ?? MemoryLimit.ofThisProcess(context.environment, ranks: 1)
    options.repairs = repair
    if repair, RemoteStore.takes(uri) {
      throw Fault(
        .permission, shownURI(uri), "a server is only ever read, nothing there can be repaired")
    }
    if repair, let (archive, _) = try LocalPlace.archive(in: try localPath(uri)) {
      throw Fault(
        .permission, archive, "an archive is only ever read, nothing in it can be repaired",
        hint: "`omtask unpack` it, repair the folder, then `omtask pack` it")
    }
    let verifier = Verifier(options)
    if let array = try ReadTarget.openArray(uri, followLinks: followLinks) {
      verifier.verify(array)
    } else {
      verifier.verify(
        try ImageSource.open(uri, filter: WellFilter(), followLinks: followLinks))
    }
    let report = verifier.report
    try Output(context.output, json ? .json : .human).write(
      VerifyAnswer(uri: shownURI(uri), report: report))
    if let gravest = report.problems.gravest {
      var fault = gravest.fault
      if report.problems.count > 1 {
        fault.facts.append("the gravest of \(report.problems.count) problems")
      }
      throw fault
    }
    return 0
  }
}

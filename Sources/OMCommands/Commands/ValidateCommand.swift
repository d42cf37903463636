import ArgumentParser
import OMJSON
import OMRun
import OMStore
import OMValidate

/// `omtask validate`: every rule of OME-Zarr that metadata break.
struct ValidateCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check metadata against every rule of OME-Zarr 0.1 to 0.6 and RFC-8.",
    discussion: """
      A folder or archive is checked with all images, labels, wells and members below it; a metadata file \
      alone, as the published JSON schemas do. Voxels are not read, see `omtask verify`. Broken \
      MUSTs are errors, SHOULDs warnings, missing descriptions notes. The exit code is 0 when \
      there are no errors, else 65; 66 when nothing is there. With --conformance it is 0 whatever \
      the verdict. docs/validate.md lists all rules.
      """)

  @Argument(
    help: ArgumentHelp(
      "The image, plate, well, collection, archive or metadata file; `-` is a document on standard input.",
      valueName: "uri"))
  var uri: String?

  @Flag(help: "Count broken SHOULDs as errors too.")
  var strict = false

  @Flag(help: "Answer with JSON.")
  var json = false

  @Option(
    help: ArgumentHelp(
      """
      Answer for this file or folder with one line, `{"valid": true, "message": "..."}`, as the \
      conformance runner of the specification reads it.
      """, valueName: "path"))
  var conformance: String?

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    guard let target = conformance ?? uri, (conformance == nil) != (uri == nil) else {
      throw Fault(
        .usage, "", "there must be one <uri>, or one path with --conformance",
        hint: "`omtask validate --help` explains the arguments")
    }
    if conformance != nil && json {
      throw Fault(.usage, "", "--conformance and --json ask for two forms of the answer")
    }
    var options = Validator.Options()
    options.isStrict = strict
    options.threads = ThreadSetting.auto.count(in: context.environment)
    options.inParallel = { inParallel($0, $1) }
    let verdict = try ValidateTarget(target).verdict(Validator(options), context)
    if conformance != nil {
      try context.output.write(ConformanceLine(verdict).text + "\n")
      return 0
    }
    let answer = ValidateAnswer(uri: shownURI(target), verdict: verdict)
    try Output(context.output, json ? .json : .human).write(answer)
    if !verdict.isValid { throw answer.fault }
    return 0
  }
}

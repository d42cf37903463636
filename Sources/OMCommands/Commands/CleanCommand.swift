import ArgumentParser
import OMJSON
import OMRun
import OMStore

/// `omtask clean`: removes what unfinished runs left.
struct CleanCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "clean",
    abstract: "Remove unfinished runs of an image, plate, well or output, but for those at work.",
    discussion: """
      What is removed can no longer be gone on with. Label images that are complete are never touched.
      """)

  @Argument(help: "The image, plate or well, or the path of an output.")
  var uri: String

  @OptionGroup var scratch: ScratchFlags

  @Flag(
    help: """
      In a bucket also remove what runs left on other machines of which nobody here can tell \
      whether they are at work.
      """)
  var force = false

  @Flag(help: "Answer with JSON.")
  var json = false

  func run(in context: CommandContext) throws -> Int32 {
    var cleaning = Cleaning()
    if RemoteStore.takes(uri) {
      let folder = ScratchFolder.ofBuckets(scratch.scratch, context.environment)
      for folder in try StageFolder.find(uri, scratch: folder) { cleaning.clean(folder) }
      try cleaning.clean(bucket: uri, force: force)
    } else {
      for folder in try StageFolder.find(uri) { cleaning.clean(folder) }
    }
    try Output(context.output, json ? .json : .human)
      .write(CleanAnswer(uri: shownURI(uri), cleaning: cleaning))
    if let fault = cleaning.faults.first { throw fault }
    return 0
  }
}

import ArgumentParser
import OMJSON
import OMRun
import OMStore

/// `omtask runs`: what is not finished, and who works at it.
struct RunsCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "List unfinished runs of an image, plate, well or output, and how far they are.",
    discussion: """
      Nothing is written, so it may be called from another shell while a run works. A run that was \
      stopped goes on with the command that began it; `omtask clean` removes it.
      """)

  @Argument(help: "The image, plate or well, or the path of an output.")
  var uri: String

  @OptionGroup var scratch: ScratchFlags

  @Flag(help: "Answer with JSON.")
  var json = false

  func run(in context: CommandContext) throws -> Int32 {
    var runs: [StageSummary] = []
    let folders =
      RemoteStore.takes(uri)
      ? try StageFolder.find(
        uri, scratch: ScratchFolder.ofBuckets(scratch.scratch, context.environment))
      : try StageFolder.find(uri)
    for folder in folders { runs += try folder.runs() }
    try Output(context.output, json ? .json : .human).write(
      RunsAnswer(uri: shownURI(uri), runs: runs))
    return 0
  }
}

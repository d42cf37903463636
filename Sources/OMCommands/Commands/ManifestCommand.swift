import ArgumentParser
import OMJSON
import OMManifest

/// `omtask manifest`: for those who write manifests and those who hand them on.
struct ManifestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest", abstract: "Check manifests of tasks.",
    subcommands: [CheckManifestCommand.self])
}

/// `omtask manifest check FILE…`: every mistake with its place.
struct CheckManifestCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Explain every mistake in manifests, with file, line and a way out.")

  @Argument(help: "Manifests of one task, or Fractal's `__FRACTAL_MANIFEST__.json`.")
  var files: [String]

  @Flag(help: "Answer with JSON.")
  var json = false

  func run(in context: CommandContext) throws -> Int32 {
    var answer = ManifestAnswer()
    var unread: Fault?
    for file in files {
      do {
        answer.add(file, ManifestCheck.findings(inText: try context.read(file), subject: file))
      } catch {
        // The others are checked all the same; the last line tells of the first that was not.
        if let earlier = unread { context.console.error(earlier) }
        unread = error
      }
    }
    try Output(context.output, json ? .json : .human).write(answer)
    if let unread { throw unread }
    if answer.errors > 0 { throw answer.fault }
    return 0
  }
}

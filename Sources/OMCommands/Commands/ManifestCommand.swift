import ArgumentParser
import Glibc
import OMJSON
import OMManifest
import OMStore
import OMTask

/// `omtask manifest`: for those who write manifests and those who hand them on.
struct ManifestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest",
    abstract: "Check and test tasks, begin a new one, or export all for Fractal and napari.",
    subcommands: [
      CheckManifestCommand.self, TestManifestCommand.self, NewManifestCommand.self,
      ExportManifestCommand.self,
    ])
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
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        answer.add(
          file,
          ManifestCheck.findings(inText: try context.read(file), subject: file) {
            access(folder + $0, F_OK) == 0
          })
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

/// A folder, made when it is not there but its parent is.
func openFolder(_ path: String) throws(Fault) -> OutputFolder {
  do throws(Fault) {
    return try OutputFolder(path: path)
  } catch {
    let parts = path.split(separator: "/")
    guard error.kind == .missing, let name = parts.last else { throw error }
    let parent = (path.hasPrefix("/") ? "/" : "./") + parts.dropLast().joined(separator: "/")
    return try OutputFolder(path: parent).makeFolder(String(name))
  }
}

/// `omtask manifest new NAME`: a small task that works, to be changed into one's own.
struct NewManifestCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Write a small task that works: a manifest, a program and a test.")

  @Argument(help: "The name of the task for people, such as \"Bright Spots\".")
  var name: String

  @Option(help: ArgumentHelp("What it is written in.", valueName: "python|shell|swift"))
  var language: TaskLanguage = .python

  @Option(
    help: ArgumentHelp(
      "The folder to write to, a new one or an empty one; default: the task's name.",
      valueName: "folder"))
  var output: String?

  func run(in context: CommandContext) throws -> Int32 {
    let task = try NewTask(name: name, language: language)
    if let other = try context.catalogue.everything().tasks.first(where: {
      $0.manifest.identifier == task.identifier
    }) {
      throw Fault(
        .exists, other.entry.file ?? "", "there is a task named `\(task.identifier)` already",
        hint: "give the new one another name")
    }
    let path = output ?? task.identifier
    let folder = try openFolder(path)
    if let entry = try folder.list().first {
      throw Fault(
        .exists, path, "the folder is not empty, `\(entry)` is in it",
        hint: "name a new folder with `--output`")
    }
    for file in task.files { try folder.write(file.name, Array(file.text.utf8), durable: false) }
    context.console.note(
      ["\(path): \(task.files.map(\.name).joined(separator: ", "))", "what to do there:"]
        + task.steps.map { "  \($0.call)" })
    return 0
  }
}

extension TaskLanguage: ExpressibleByArgument {}

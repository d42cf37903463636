import ArgumentParser
import OMJSON
import OMManifest
import OMStore

/// `omtask manifest`: for those who write manifests and those who hand them on.
struct ManifestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest",
    abstract: "Check manifests of tasks, or export them for Fractal and napari.",
    subcommands: [CheckManifestCommand.self, ExportManifestCommand.self])
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

/// `omtask manifest export`: one Fractal manifest of all tasks, or a Python package with it.
struct ExportManifestCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write Fractal's manifest of all tasks, or with --output a Python package.")

  @Option(
    help: ArgumentHelp(
      """
      A folder for a Python package with the manifest and a file for each task, as Fractal and \
      napari want it; without it the manifest goes to standard output and names this program.
      """, valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      """
      How Fractal runs each task, separated by commas: `parallel`, one process for each image; \
      `non_parallel`, one for all; `compound`, one for each part of an image.
      """, valueName: "form"))
  var forms = "parallel"

  func run(in context: CommandContext) throws -> Int32 {
    let tasks = try context.catalogue.tasks().map(\.manifest)
    let forms = try Self.forms(forms)
    guard let output else {
      try context.output.write(
        FractalManifest(tasks, forms: forms).document().text(indent: 2) + "\n")
      return 0
    }
    let files = TaskPackage(tasks, forms: forms, version: programVersion).files
    let folder = try Self.folder(output)
    for file in files { try folder.write(file.path, Array(file.text.utf8), durable: false) }
    context.console.note("\(output): \(files.count) files for \(counted(tasks.count, "task"))")
    return 0
  }

  private static func forms(_ text: String) throws(Fault) -> [FractalForm] {
    var forms: [FractalForm] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let form = FractalForm(rawValue: String(word)), !forms.contains(form) else {
        let known = FractalForm.allCases.map(\.rawValue).joined(separator: ", ")
        throw Fault(.usage, "", "`--forms` is `\(text)`, it must name some of \(known), each once")
      }
      forms.append(form)
    }
    return forms
  }

  /// The folder, made when it is not there but its parent is.
  private static func folder(_ path: String) throws(Fault) -> OutputFolder {
    do throws(Fault) {
      return try OutputFolder(path: path)
    } catch {
      let parts = path.split(separator: "/")
      guard error.kind == .missing, let name = parts.last else { throw error }
      let parent = (path.hasPrefix("/") ? "/" : "./") + parts.dropLast().joined(separator: "/")
      return try OutputFolder(path: parent).makeFolder(String(name))
    }
  }
}

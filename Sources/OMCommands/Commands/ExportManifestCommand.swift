import ArgumentParser
import OMJSON
import OMManifest
import OMStore
import OMTask

/// `omtask manifest export`: one Fractal manifest of all tasks, or a Python package with it.
struct ExportManifestCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write Fractal's manifest of all tasks, or with --output a Python package.")

  @Argument(
    help: ArgumentHelp(
      "Tasks by name, or manifests of tasks that are not built in; without any, all that `omtask tasks` lists.",
      valueName: "task"))
  var names: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      A folder for a Python package with the manifest and a file for each task; without it the manifest \
      goes to standard output and names this program.
      """, valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      """
      How Fractal runs each task, separated by commas: `parallel`, one process for each image; \
      `non_parallel`, one for all; `compound`, one for each part of an image.
      """, valueName: "form"))
  var forms = "parallel"

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      """
      Who reads the manifest: a server of Fractal, or napari's plug-in for tasks, which wants a package \
      and lists as texts.
      """, valueName: "fractal|napari"))
  var reader = "fractal"

  func run(in context: CommandContext) throws -> Int32 {
    let forms = try Self.forms(forms)
    let reader = try reader(forms)
    let tasks = try tasks(context)
    guard let output else {
      if let task = tasks.first(where: { !$0.fitsCommand }) {
        throw Fault(
          .usage, task.file ?? "", "a command of Fractal cannot hold this path",
          hint:
            "move the manifest to a path of plain characters, or write a package with `--output`")
      }
      try context.output.write(
        FractalManifest(tasks, forms: forms).document().text(indent: 2) + "\n")
      return 0
    }
    // A package for napari is used where it was made, one for Fractal goes to another machine.
    let files = TaskPackage(
      tasks, forms: forms, for: reader, version: programVersion,
      program: reader == .napari ? ProgramPlace.ofThisProcess : nil
    ).files
    let folder = try openFolder(output)
    for file in files { try folder.write(file.path, Array(file.text.utf8), durable: false) }
    context.console.note("\(output): \(files.count) files for \(counted(tasks.count, "task"))")
    return 0
  }

  /// Those that are named, or all that can be told to Fractal.
  private func tasks(_ context: CommandContext) throws(Fault) -> [ExportedTask] {
    var tasks: [ExportedTask] = []
    if names.isEmpty {
      let (found, faults) = try context.catalogue.everything()
      for fault in faults { context.console.warning("\(fault)") }
      for task in found {
        do throws(Fault) {
          tasks.append(try Self.exported(task))
        } catch {
          context.console.warning("\(error)")
        }
      }
      return tasks
    }
    for name in names { tasks.append(try Self.exported(context.catalogue.task(name))) }
    var seen: Set<String> = []
    if let twice = tasks.first(where: { !seen.insert($0.manifest.identifier).inserted }) {
      throw Fault(.usage, "", "the task `\(twice.manifest.identifier)` is named twice")
    }
    return tasks
  }

  private static func exported(_ task: KnownTask) throws(Fault) -> ExportedTask {
    try ExportedTask(task.manifest, file: task.entry.file.map(ProgramPlace.absolute))
  }

  private func reader(_ forms: [FractalForm]) throws(Fault) -> ManifestReader {
    guard let known = ManifestReader(rawValue: reader) else {
      throw Fault(.usage, "", "`--for` is `\(reader)`, it must be fractal or napari")
    }
    if known == .fractal { return known }
    if output == nil {
      throw Fault(
        .usage, "", "`--for napari` is given without `--output`",
        hint: "the plug-in wants a folder with a file for each task: `--output FOLDER`")
    }
    if forms != [.parallel] {
      throw Fault(
        .usage, "", "`--forms` is `\(self.forms)`, the plug-in of napari runs `parallel` only",
        hint: "leave `--forms` out")
    }
    return known
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
}

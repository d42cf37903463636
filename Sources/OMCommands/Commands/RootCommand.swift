import ArgumentParser
import OMJSON
import OMManifest

/// The program itself; its commands are a file each.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "omtask",
    abstract: "Run image-analysis tasks on OME-Zarr, on one core, all cores or many nodes.",
    version: programVersion,
    subcommands: [
      RunCommand.self, FinalizeCommand.self, PlanCommand.self, TasksCommand.self,
      InfoCommand.self, PreviewCommand.self, CatCommand.self, TableCommand.self,
      ValidateCommand.self, VerifyCommand.self, RunsCommand.self, CleanCommand.self,
      PackCommand.self, UnpackCommand.self, ExportCommand.self, BenchCommand.self,
      DoctorCommand.self, ManifestCommand.self,
    ])

  /// The names of the commands.
  static var commandNames: [String] {
    configuration.subcommands.compactMap { $0.configuration.commandName }
  }
}

/// The text of a request for help, whose calls begin with the name of this program.
///
/// - Throws: A fault of kind `usage` when the command or the task does not exist.
func helpText(_ request: HelpRequest, _ context: CommandContext) throws(Fault) -> String {
  let text = try ownHelpText(request, context)
  let own = RootCommand.configuration.commandName ?? ""
  if context.programName == own { return text }
  return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
    let call = line.drop { $0 == " " }
    guard call.count < line.count, call.hasPrefix("\(own) ") else { return String(line) }
    return line.prefix(line.count - call.count) + context.programName + call.dropFirst(own.count)
  }.joined(separator: "\n")
}

private func ownHelpText(
  _ request: HelpRequest, _ context: CommandContext
) throws(Fault) -> String {
  let program = try CommandDescription.ofProgram()
  let columns = context.output.isTerminal ? context.output.columns : 80
  switch request {
  case .program:
    let tasks = try context.catalogue.tasks().map(\.manifest)
    return TaskHelp.text(of: program, tasks: tasks, columns: columns)
  case .command(let name):
    guard let command = program.subcommand(name) else { throw unknownCommand(name, context) }
    return TaskHelp.text(of: command, tasks: [], columns: columns)
  case .subcommand(let word, let name):
    guard let command = program.subcommand(name) else { throw unknownCommand(name, context) }
    // `omtask bench TASK` is `omtask bench model TASK`.
    let other = name == "bench" ? command.subcommand("model") : nil
    guard let part = command.subcommand(word) ?? other else {
      return TaskHelp.text(of: command, tasks: [], columns: columns)
    }
    return TaskHelp.text(of: part, below: name, tasks: [], columns: columns)
  case .task(let task, let name):
    guard let command = program.subcommand(name) else { throw unknownCommand(name, context) }
    // A preview may be asked for an image too.
    let known = try context.catalogue.tasks().contains { $0.manifest.identifier == task }
    if name == "preview" && !known {
      return TaskHelp.text(of: command, tasks: [], columns: columns)
    }
    let manifest = try context.catalogue.task(task).manifest
    return TaskHelp.text(
      of: manifest, called: task, command: command, columns: columns)
  }
}

/// The fault for a first word that is no command, with the nearest command or task.
func unknownCommand(_ word: String, _ context: CommandContext) -> Fault {
  let ending = "`omtask --help` lists all"
  let tasks = (try? context.catalogue.tasks().map(\.manifest.identifier)) ?? []
  let nearest = nearestName(word, in: RootCommand.commandNames + tasks)
  let suggestion = nearest.map { name in
    "did you mean `omtask \(tasks.contains(name) ? "run " : "")\(name)`? \(ending)"
  }
  return Fault(.usage, "", "no command named `\(word)`", hint: suggestion ?? ending)
}

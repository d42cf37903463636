import ArgumentParser
import OMJSON
import OMManifest
import OMTask

/// `omtask tasks`: lists the tasks of this program.
struct TasksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tasks", abstract: "List the tasks, or show one with its parameters.",
    subcommands: [ListTasksCommand.self, ShowTaskCommand.self],
    defaultSubcommand: ListTasksCommand.self)
}

/// `omtask tasks` without another word.
///
/// A command of its own, so that `--json` belongs to the list or to the one task, never to both.
struct ListTasksCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the tasks.")

  @Flag(help: "Answer with JSON.")
  var json = false

  func run(in context: CommandContext) throws -> Int32 {
    let found = try context.catalogue.everything()
    for fault in found.faults { context.console.warning(fault.description) }
    let answer = TaskList(tasks: found.tasks)
    try Output(context.output, json ? .json : .human).write(answer)
    return 0
  }
}

/// `omtask tasks show TASK`: what a task does, its parameters, and how exact it is.
struct ShowTaskCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a task: what it does, its parameters, how exact it is.")

  @Argument(help: "The task.")
  var task: String

  @Flag(help: "Answer with the manifest.")
  var json = false

  func run(in context: CommandContext) throws -> Int32 {
    let answer = TaskDescription(
      task: try context.catalogue.task(task), columns: context.output.columns)
    try Output(context.output, json ? .json : .human).write(answer)
    return 0
  }
}

/// All tasks, one line each.
private struct TaskList: Answer {
  let tasks: [KnownTask]

  var lines: [String] {
    let width = tasks.map(\.manifest.identifier.count).max() ?? 0
    return tasks.map { task in
      let name = task.manifest.identifier
      let gap = String(repeating: " ", count: width - name.count + 2)
      let type =
        !task.manifest.isRunnable
        ? "type \(task.manifest.type), for Fractal only; "
        : task.manifest.isWhole ? "type \(task.manifest.type); " : ""
      let place = "\(type)\(task.entry.file ?? "built in")"
      return "\(name)\(gap)\(task.manifest.traits.summary) (\(place))"
    }
  }

  var json: JSON {
    .array(
      tasks.map { task in
        let manifest = task.manifest
        return [
          "source": task.entry.file.map { .string($0) } ?? "built in",
          "task": .string(manifest.identifier), "name": .string(manifest.name),
          "summary": .string(manifest.traits.summary), "category": .string(manifest.category),
          "type": .string(manifest.type),
        ]
      })
  }
}

/// One task in full.
private struct TaskDescription: Answer {
  let task: KnownTask
  let columns: Int

  private var manifest: Manifest { task.manifest }

  var lines: [String] {
    let traits = manifest.traits
    var help = HelpText()
    help.opening = [
      "\(manifest.name): \(traits.summary)", "",
      "\(task.entry.file.map { "From \($0)" } ?? "Built in"), result version \(traits.resultVersion). \(exactness)",
    ]
    if let type = manifest.taskType, manifest.isWhole {
      help.opening.append("Type \(manifest.type): \(calls(type))")
    }
    if !traits.dataTypes.isEmpty {
      help.opening.append("Reads \(traits.dataTypes.joined(separator: ", ")).")
    }
    help.sections = traits.groups.map { group in
      HelpText.Section(
        group.title, group.parameters.compactMap { manifest.parameters[$0] }.map(TaskHelp.row))
    }
    help.closing = wrapped(manifest.documentation, width: min(max(columns, 60), 100))
    return help.text(columns: columns).split(separator: "\n", omittingEmptySubsequences: false)
      .dropLast().map(String.init)
  }

  var json: JSON { .object(manifest.document) }

  /// How often which of its programs is started.
  private func calls(_ type: TaskType) -> String {
    let what = type.takesImages ? "once for all images" : "once, and takes no image"
    return type.hasList
      ? "its first program is started \(what), the second for each item of the list that the first makes."
      : "its program is started \(what)."
  }

  /// The promise behind the letter of the exactness class.
  private var exactness: String {
    switch manifest.traits.exactness {
    case .equal:
      "Class E: equal to the reference library bit for bit, however the work is split."
    case .invariant:
      "Class I: the same however the work is split; differs from the reference only as stated."
    case .tolerance:
      "Class T: the same however the work is split; equal to the reference within a tolerance."
    case .halo: "Class H: depends on how far a region looks beyond its border."
    case nil: "Its program reads and writes images by itself, so omtask promises nothing of them."
    }
  }
}

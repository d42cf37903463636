import ArgumentParser
import CSys
import Glibc
import OMJSON
import OMRun
import OMStore
public import OMTask

/// The version of the program; what a result depends on is the task's result version instead.
let programVersion = "0.1.0"

/// The program `omtask` around a catalogue of tasks.
public enum OMTaskProgram {
  /// Runs the call of this process and ends it with the exit code of the design's table.
  ///
  /// - Parameters:
  ///   - name: What the program is called in help.
  ///   - tasks: The tasks that are built in.
  public static func main(name: String = "omtask", tasks: [CatalogEntry]) -> Never {
    // A reader that goes away is an error of `write`, not a signal that kills the run.
    signal(SIGPIPE, SIG_IGN)
    // Whoever started us may have left it to the kernel to take the ends of children.
    signal(SIGCHLD, SIG_DFL)
    om_fill_standard_descriptors()
    om_keep_freed_memory()
    let environment = Environment.ofThisProcess()
    let console = Console(DescriptorSink.standardError, style: LogStyle())
    var context = CommandContext(
      catalogue: TaskCatalogue(tasks, environment), environment: environment,
      output: DescriptorSink.standardOutput, console: console)
    context.programName = name
    context.ownsProcess = true
    let code = run(Array(CommandLine.arguments.dropFirst()), context)
    RemoteStore.endRequests()
    exit(code)
  }

  /// Runs a call and returns its exit code; errors are printed on the way.
  static func run(_ words: [String], _ context: CommandContext) -> Int32 {
    do {
      try context.console.use { sink throws(Fault) in
        try messageStyle(for: sink, context.environment, about: "omtask")
      }
      return try answer(words, context)
    } catch is ReaderGone {
      return 0
    } catch {
      let fault = Fault(wrapping: error)
      context.console.error(fault)
      return fault.exitCode
    }
  }

  private static func answer(_ words: [String], _ context: CommandContext) throws -> Int32 {
    if let request = HelpRequest(words) {
      try context.output.write(helpText(request, context))
      return 0
    }
    if let word = words.first, !word.hasPrefix("-"), !RootCommand.commandNames.contains(word) {
      throw unknownCommand(word, context)
    }
    switch parse(words) {
    case .success(let command as any Subcommand): return try command.run(in: context)
    // The root command alone, without any word.
    case .success: try context.output.write(helpText(.program, context))
    case .failure(.message(let text)): try context.output.write(text + "\n")
    case .failure(.fault(let fault)): throw fault
    }
    return 0
  }

  /// What parsing ends with when there is no command to run.
  enum Ending: Error {
    /// Something was asked that ArgumentParser answers, such as `--version`.
    case message(String)
    case fault(Fault)
  }

  static func parse(_ words: [String]) -> Result<any ParsableCommand, Ending> {
    do {
      return .success(try RootCommand.parseAsRoot(words))
    } catch {
      let message = RootCommand.message(for: error)
      if RootCommand.exitCode(for: error) == .success { return .failure(.message(message)) }
      let command = words.first.map { $0.hasPrefix("-") ? "" : "\($0) " } ?? ""
      return .failure(
        .fault(UsageFault.from(message: message, help: "omtask \(command)--help")))
    }
  }
}

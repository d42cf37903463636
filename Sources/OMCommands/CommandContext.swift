import ArgumentParser
import OMJSON

/// What a command may use of the world around it.
struct CommandContext: Sendable {
  /// What this program is called in help.
  var programName = "omtask"
  /// The tasks of this program.
  let catalogue: TaskCatalogue
  /// The variables of the process.
  let environment: Environment
  /// Reads what the caller pipes in, to its end.
  var standardInput: @Sendable () throws(Fault) -> [UInt8] = { () throws(Fault) in
    try readStandardInput()
  }
  /// Whether signals of this process are meant for the command, and it may end the process.
  var ownsProcess = false
  /// Data for the caller.
  let output: any ByteSink
  /// Messages for people.
  let console: Console

  /// Makes a context.
  init(
    catalogue: TaskCatalogue, environment: Environment, output: any ByteSink, console: Console
  ) {
    self.catalogue = catalogue
    self.environment = environment
    self.output = output
    self.console = console
  }
}

extension CommandContext {
  /// Reads a file that a flag names; `-` is the standard input.
  ///
  /// - Throws: A fault that names the file: `missing`, `permission`, `limit` or `io`.
  func read(_ path: String) throws(Fault) -> [UInt8] {
    path == "-" ? try standardInput() : try readFile(path)
  }
}

/// A command of the program.
protocol Subcommand: ParsableCommand {
  /// Does what the command is for.
  ///
  /// - Returns: The exit code.
  /// - Throws: The fault that decides the exit code, or `ReaderGone`.
  func run(in context: CommandContext) throws -> Int32
}

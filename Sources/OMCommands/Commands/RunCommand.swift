import ArgumentParser
import OMJSON
import OMManifest
import OMRun

/// `omtask run`: runs a task on images.
struct RunCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a task on images, plates or wells.",
    discussion: "`omtask run TASK --help` shows the parameters of a task.")

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp(
      "The task, then images, plates or wells, and the task's parameters as `--name value`.",
      valueName: "task uri ..."))
  var words: [String] = []

  @OptionGroup(title: "Input") var input: InputFlags
  @OptionGroup(title: "Output") var output: OutputFlags
  @OptionGroup(title: "Running") var resources: ResourceFlags
  @OptionGroup(title: "Running") var control: ControlFlags
  @OptionGroup(title: "Machines") var arguments: ArgumentsFlags
  @OptionGroup(title: "Machines") var machine: MachineFlags

  func run(in context: CommandContext) throws -> Int32 {
    let speaks = Launch.speaks(context.environment)
    if !speaks { context.console.hush() }
    var request = try request(context)
    try context.console.use { sink throws(Fault) in
      try messageStyle(for: sink, context.environment, about: request.manifest.identifier)
    }
    if machine.dryRun {
      try writePlan(of: request, resources: resources, ranks: 1, form: .human, context)
      return 0
    }
    let launch = try Launch.decide(context.environment, control.mpi)
    for warning in launch.warnings { context.console.warning(warning) }
    request.options.use(
      resources, ranks: launch.announcedRanks ?? 1, context.environment)
    let session = try RunSession(request, machine, context, speaks: speaks)
    // Everything that can be wrong with the call has been found; only now may MPI start.
    return try session.run(on: Ranks(launch))
  }

  /// What the words and flags ask for, before threads and memory are known.
  func request(_ context: CommandContext) throws(Fault) -> RunRequest {
    let flags = TaskFlags(input: input, output: output, arguments: arguments)
    var request = try readTaskCall(words, flags, command: "run", context)
    request.options.failFast = control.failFast
    return request
  }
}

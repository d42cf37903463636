import ArgumentParser
import OMJSON
import OMRun

/// `omtask plan`: what a run would do; nothing is written.
struct PlanCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what a run would do: regions, owners, bytes, files and memory.",
    discussion: "`omtask plan TASK --help` shows the parameters of a task.")

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp(
      "The task, then images and parameters, as for `omtask run`.", valueName: "task uri ..."))
  var words: [String] = []

  @OptionGroup(title: "Input") var input: InputFlags
  @OptionGroup(title: "Output") var output: OutputFlags
  @OptionGroup(title: "Running") var resources: ResourceFlags
  @OptionGroup(title: "Running") var planned: RankFlags
  @OptionGroup(title: "Running") var program: ProgramFlags
  @OptionGroup(title: "Machines") var arguments: ArgumentsFlags

  @Flag(help: "Answer with JSON: every region of every pass.")
  var json = false

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    let flags = TaskFlags(
      input: input, output: output, arguments: arguments, python: program.python)
    let request = try readTaskCall(words, flags, command: "plan", context)
    guard 1...1_000_000 ~= planned.ranks else {
      throw Fault(.usage, "", "`--ranks` is \(planned.ranks), it must be 1 to 1000000")
    }
    try writePlan(
      of: request, resources: resources, ranks: planned.ranks, form: json ? .json : .human, context)
    return 0
  }
}

/// Makes the plan of a request and writes it to standard output.
func writePlan(
  of request: RunRequest, resources: ResourceFlags, ranks: Int, form: AnswerForm,
  _ context: CommandContext
) throws {
  var request = request
  request.options.use(resources, ranks: ranks, context.environment)
  let plan = try makePlan(request, ranks: ranks)
  for warning in plan.warnings { context.console.warning(warning) }
  try Output(context.output, form).write(PlanAnswer(plan: plan))
}

extension RunOptions {
  /// Takes threads and memory from the flags, or from what this process may use.
  mutating func use(_ resources: ResourceFlags, ranks: Int, _ environment: Environment) {
    threads = resources.threads.count(in: environment)
    memory = resources.memory?.bytes ?? MemoryLimit.ofThisProcess(environment, ranks: ranks)
  }
}

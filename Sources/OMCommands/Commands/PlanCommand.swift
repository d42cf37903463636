import ArgumentParser
import OMJSON
import OMManifest
import OMRun

/// `omtask plan`: what a run would do; nothing is written.
struct PlanCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what a run would do: regions, owners, bytes, files and memory.",
    discussion: "`omtask plan TASK --help` shows the parameters of a task.")

  @OptionGroup var task: TaskFlags
  @OptionGroup(title: "Running") var planned: RankFlags

  @Option(
    help: ArgumentHelp(
      """
      A file for the parts that several processes can do apart (`parallelization_list`), as Fractal's \
      compound tasks want it; nothing is printed then.
      """, valueName: "file"))
  var outJSON: String?

  @Option(
    help: ArgumentHelp(
      "For --out-json: into how many parts each image is cut; default: one for each GiB.",
      valueName: "n"))
  var parts: Int?

  @Flag(help: "Answer with JSON: every region of every pass.")
  var json = false

  @OptionGroup(title: "Simulation") var simulation: SimulationFlags

  @OptionGroup(title: "Limits") var limits: LimitFlags

  func run(in context: CommandContext) throws -> Int32 {
    try limits.apply()
    let call = try readWholeCall(task, command: "plan", context)
    let request = call.request
    if let wrong = planned.ranks.counts.first(where: { !(1...1_000_000 ~= $0) }) {
      throw Fault(.usage, "", "`--ranks` is \(wrong), it must be 1 to 1000000")
    }
    if simulation.simulate, outJSON != nil || parts != nil {
      throw Fault(
        .usage, "", "`--simulate` stands with `\(outJSON == nil ? "--parts" : "--out-json")`",
        hint: "leave one of them out: ranks are simulated, parts are not")
    }
    if let outJSON {
      try context.console.use { sink throws(Fault) in
        try messageStyle(for: sink, context.environment, about: request.manifest.identifier)
      }
      try writeParts(of: call, to: ResultFile(path: outJSON, flag: "out-json"), context)
      return 0
    }
    if parts != nil {
      throw Fault(.usage, "", "`--parts` stands without `--out-json`, which lists the parts")
    }
    if simulation.simulate {
      try writeSimulation(of: request, context)
      return 0
    }
    if simulation.ranksPerNode != nil || simulation.file.costModel != nil {
      let flag = simulation.file.costModel == nil ? "--ranks-per-node" : "--cost-model"
      throw Fault(.usage, "", "`\(flag)` stands without `--simulate`, which it is for")
    }
    guard planned.ranks.counts.count == 1 else {
      throw Fault(
        .usage, "", "`--ranks` is the list \(planned.ranks), a plan is for one number of ranks",
        hint: "`--simulate` takes a list")
    }
    return try writePlan(
      of: request, resources: task.resources, ranks: planned.ranks.counts[0],
      form: json ? .json : .human, context)
  }

  private func writeSimulation(of request: RunRequest, _ context: CommandContext) throws {
    if let most = planned.ranks.counts.max(), most > SimulationFlags.mostRanks {
      throw Fault(
        .usage, "",
        "`--ranks` is \(most), a simulation takes \(SimulationFlags.mostRanks) at most")
    }
    if let count = simulation.ranksPerNode, !(1...4096 ~= count) {
      throw Fault(.usage, "", "`--ranks-per-node` is \(count), it must be 1 to 4096")
    }
    let model = try ModelFlags.read(try simulation.file.path(context.environment))
    var request = request
    request.options.use(task.resources, ranks: 1, context.environment)
    let simulations = try OMRun.simulate(
      request, ranks: planned.ranks.counts, ranksPerNode: simulation.ranksPerNode, model: model
    ) { ranks in
      task.resources.memory?.bytes ?? MemoryLimit.ofThisProcess(context.environment, ranks: ranks)
    }
    try Output(context.output, json ? .json : .human).write(
      SimulationAnswer(
        task: request.manifest.identifier, simulations: simulations, model: model))
  }
}

extension PlanCommand {
  /// Writes the list of parts.
  private func writeParts(
    of call: WholeCall, to file: ResultFile, _ context: CommandContext
  ) throws(Fault) {
    if let parts, !(PartCount.range ~= parts) {
      throw Fault(
        .usage, "", "`--parts` is \(parts), it must be 1 to \(PartCount.range.upperBound)")
    }
    var options = call.request.options
    options.use(task.resources, ranks: 1, context.environment)
    let document = try PartList.document(
      of: call.request.inputs, parts: parts ?? call.parts, parameters: call.given
    ) { image in
      var request = call.request
      request.options = options
      request.inputs = [image]
      return try makePlan(request, ranks: 1)
    }
    try file.write(document)
  }
}

/// Makes the plan of a request and writes it to standard output.
///
/// - Returns: The exit code: not 0 when none of the images can be processed.
func writePlan(
  of request: RunRequest, resources: ResourceFlags, ranks: Int, form: AnswerForm,
  _ context: CommandContext
) throws -> Int32 {
  var request = request
  request.options.use(resources, ranks: ranks, context.environment)
  let plan = try makePlan(request, ranks: ranks)
  for warning in plan.warnings { context.console.warning(warning) }
  try Output(context.output, form).write(PlanAnswer(plan: plan))
  return plan.exitCode
}

extension RunOptions {
  /// Takes threads and memory from the flags, or from what this process may use.
  mutating func use(_ resources: ResourceFlags, ranks: Int, _ environment: Environment) {
    threads = resources.threads.count(in: environment)
    memory = resources.memory?.bytes ?? MemoryLimit.ofThisProcess(environment, ranks: ranks)
  }
}

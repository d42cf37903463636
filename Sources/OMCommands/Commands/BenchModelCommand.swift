import ArgumentParser
import Glibc
import OMBench
import OMImage
import OMJSON
import OMManifest
import OMRun
import OMTask

/// `omtask bench model`: the cost model of this machine, or of a task on an image.
struct BenchModelCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "Measure the costs that `omtask plan --simulate` needs.",
    discussion: """
      Without a task: codecs, files, starting ranks by `mpirun`, and some tasks on generated voxels, about \
      a minute. With a task and an image: this task with these parameters on a part of the image, which \
      is only read; the figures are added to the model. Measure on the machines that will do the work, \
      while they do nothing else.
      """)

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp(
      "A task, an image, and the task's parameters as `--name value`.", valueName: "task uri ..."))
  var words: [String] = []

  @OptionGroup(title: "Files") var place: BenchFlags
  @OptionGroup(title: "Files") var file: ModelFlags

  @OptionGroup(title: "Running") var program: ProgramFlags

  @Flag(help: "Answer with JSON: the whole model.")
  var json = false

  /// Seconds for which each task is repeated, three times at least.
  private static let patience = 5.0
  /// The tasks that need nothing but an image.
  private static let tasks = ["threshold", "gaussian-blur", "median", "project", "pyramid"]

  func run(in context: CommandContext) throws -> Int32 {
    let path = try file.path(context.environment)
    let call = words.isEmpty ? nil : try BenchCall(self, context)
    var known: CostModel?
    if call != nil, access(path, F_OK) == 0 { known = try ModelFlags.read(path) }
    try ModelFlags.makeFolder(of: path)
    let result = try ResultFile(path: path, flag: "cost-model")
    let stop = call?.request.options.stop ?? StopSwitch()
    let measured = {
      try place.measure(context, stop) { folder in
        defer { context.console.live("") }
        var model = try known ?? machine(folder, stop, context)
        if let call {
          show("measuring \(call.request.manifest.identifier)", context)
          let image = try ReadTarget.openImage(call.image, for: "bench")
          let sample = try TaskSample(image, call.request)
          for note in sample.notes { context.console.note(note) }
          context.console.note("measured on \(sample.text)")
          model.add(try bench(call.request, folder, model).costs(of: sample))
        } else {
          let sample = try TaskSample(generated: BenchVolume(generated: [64, 512, 512]))
          for name in Self.tasks {
            guard let request = try? BenchCall.request(name, [], context) else { continue }
            var own = request
            own.options.stop = stop
            show("measuring \(name)", context)
            model.add(try bench(own, folder, model).costs(of: sample))
          }
        }
        return model
      }
    }
    let model = try call.map { try stop.using($0.request.entry.program, measured) } ?? measured()
    try result.write(model.document)
    try Output(context.output, json ? .json : .human).write(ModelAnswer(model: model, path: path))
    return 0
  }

  private func bench(_ request: RunRequest, _ folder: String, _ model: CostModel) -> TaskBench {
    TaskBench(request: request, folder: folder, cores: model.cores, patience: Self.patience)
  }

  /// What holds for all tasks.
  private func machine(
    _ folder: String, _ stop: StopSwitch, _ context: CommandContext
  ) throws -> CostModel {
    var model = CostModel()
    model.nameMachine()
    // What the job may use, whatever the number of its threads is.
    model.cores = ThreadSetting.auto.count(
      affinity: model.cores, environment: Environment([:]), cgroup: .ofThisProcess)
    model.measured = WallClock.iso()
    model.program = programVersion
    model.folder = place.folder(context.environment)
    let bench = MachineBench(folder: folder, stop: stop)
    show("measuring codecs", context)
    model.codecs = try bench.codecs(of: BenchVolume(generated: [64, 128, 256]))
    show("measuring files", context)
    model.files = try bench.files()
    guard (try? context.catalogue.task("threshold")) != nil, let own = ownPath else { return model }
    show("measuring ranks", context)
    let launch = LaunchBench(
      program: own, environment: BenchCall.outsideOfJobs(context.environment), folder: folder,
      stop: stop
    ) { image, report in
      ["run", "threshold", image, "--threads", "1", "--progress", "none", "--report", report]
    }
    let numbers = [1, 2, model.cores, 2 * model.cores].reduce(into: [Int]()) { numbers, count in
      if !numbers.contains(count) && count <= 64 { numbers.append(count) }
    }
    let (costs, note) = try launch.costs(ranks: numbers)
    model.launch = costs
    if let note { context.console.warning(note) }
    return model
  }

  private func show(_ text: String, _ context: CommandContext) {
    if context.console.isTerminal { context.console.live(text) }
  }

  /// The path of this program.
  private var ownPath: String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    if count <= 0 { return nil }
    return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// A call of `omtask bench TASK IMAGE`.
struct BenchCall {
  let request: RunRequest
  let image: String

  init(_ command: BenchModelCommand, _ context: CommandContext) throws(Fault) {
    let name = command.words[0]
    if name.hasPrefix("-") {
      throw Fault(
        .usage, "", "`\(name)` stands before the task", hint: "`omtask bench TASK IMAGE \(name) …`")
    }
    var (request, uris) = try BenchCall.call(name, Array(command.words.dropFirst()), context)
    guard let image = uris.first, uris.count == 1 else {
      throw Fault(
        .usage, "", "`omtask bench \(name)` is given \(counted(uris.count, "image")), it needs one",
        hint: "`omtask bench \(name) IMAGE.zarr`")
    }
    if let python = command.program.python { request.options.surroundings.python = python }
    if request.manifest.traits.contract == .image || request.manifest.isWhole {
      throw Fault(
        .usage, "", "\(name) is a program that does whole images, its costs are not measured")
    }
    self.request = request
    self.image = image
  }

  /// The request of a task with words for its parameters.
  static func request(
    _ name: String, _ words: [String], _ context: CommandContext
  ) throws(Fault) -> RunRequest {
    try call(name, words, context).request
  }

  private static func call(
    _ name: String, _ words: [String], _ context: CommandContext
  ) throws(Fault) -> (request: RunRequest, uris: [String]) {
    let (entry, manifest) = try context.catalogue.task(name)
    let known = try CommandDescription.ofProgram().subcommand("bench")?.subcommand("model")?.flags
    let sorted = try ParameterWords(words, manifest: manifest, flags: known ?? [])
    var options = RunOptions()
    options.memory = MemoryLimit.ofThisProcess(context.environment, ranks: 1)
    let request = RunRequest(
      entry: entry, manifest: manifest,
      parameters: try ParameterBinder(manifest).bind(commandLine: sorted.values, arguments: [:]),
      inputs: [], options: options)
    return (request, sorted.uris)
  }

  /// The variables without those by which a launcher tells its ranks who they are.
  static func outsideOfJobs(_ environment: Environment) -> [String: String] {
    let foreign = ["OMPI_COMM_", "OMPI_UNIVERSE_", "PMIX_", "PMI_", "SLURM_PROCID", "SLURM_STEP_"]
    return environment.all.filter { name, _ in !foreign.contains { name.hasPrefix($0) } }
  }
}

/// Which cost model is meant.
struct ModelFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      The file of the cost model; default: `omtask/cost-model.json` in `XDG_CACHE_HOME` or `~/.cache`.
      """, valueName: "file"))
  var costModel: String?

  /// The path of the file.
  ///
  /// - Throws: `usage` when there is no home.
  func path(_ environment: Environment) throws(Fault) -> String {
    if let costModel { return costModel }
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      ?? environment["HOME"].flatMap { $0.isEmpty ? nil : "\($0)/.cache" }
    guard let cache else {
      throw Fault(
        .usage, "", "there is no place for the cost model: neither XDG_CACHE_HOME nor HOME is set",
        hint: "name a file with `--cost-model`")
    }
    return "\(cache)/omtask/cost-model.json"
  }

  /// Reads a model.
  ///
  /// - Throws: `missing` when it was not measured yet, `metadata` for another version.
  static func read(_ path: String) throws(Fault) -> CostModel {
    do {
      return try CostModel(JSON(parsing: try readFile(path), subject: path), subject: path)
    } catch {
      guard error.kind == .missing else { throw error }
      throw Fault(
        .missing, path, "there is no cost model",
        hint: "`omtask bench` measures one on this machine, in about a minute")
    }
  }

  /// Makes the folders above a file.
  static func makeFolder(of path: String) throws(Fault) {
    var known = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/").dropLast() {
      known += known.isEmpty || known == "/" ? part : "/" + part
      if mkdir(known, 0o777) != 0 && errno != EEXIST {
        throw Fault(.io, known, "cannot be made: \(systemMessage(errno))")
      }
    }
  }
}

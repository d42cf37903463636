import ArgumentParser
import OMGrid
import OMJSON
import OMManifest
import OMRun
import OMTask
import OMTaskTesting

/// `omtask manifest test TASK`: whether what a task makes depends on how the work is cut.
struct TestManifestCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Try whether the result of a task depends on how the work is cut.",
    discussion: """
      The task runs on a part of the sample in one region, then again and again in other regions, \
      chunks, shards, sizes and data types, on one to four threads, in a temporary folder; nothing is \
      written into the sample. The first voxel that differs is shown, with a command that repeats \
      the round.
      """)

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp(
      "A task, or the file of its manifest, and its parameters as `--name value`.",
      valueName: "task ..."))
  var words: [String] = []

  @Option(help: ArgumentHelp("The image to try it on; a part of it is read.", valueName: "uri"))
  var input: String?

  @Option(help: ArgumentHelp("How many rounds; default: 20.", valueName: "n"))
  var rounds: String?

  @Option(
    help: ArgumentHelp(
      "The number of the first round, which decides all that is random; default: 0.",
      valueName: "n"))
  var seed: String?

  @OptionGroup(title: "Running") var program: ProgramFlags

  @Flag(help: "Answer with JSON.")
  var json = false

  func run(in context: CommandContext) throws -> Int32 {
    let call = try TrialCall(self, context)
    let reader = try SampleReader(ReadTarget.openImage(call.input, for: "manifest test"))
    for note in reader.notes { context.console.note(note) }
    let stop = call.request.options.stop
    let watcher = StopWatcher(
      StopWatcher.Watch(stallTimeout: TrialCall.stallTimeout), stop, context.console,
      context.environment)
    if context.ownsProcess { watcher.start() }
    defer { watcher.finish() }
    let (summary, sample) = try stop.using(call.request.entry.program) {
      try run(call, reader, context)
    }
    let answer = TrialAnswer(
      traits: call.request.manifest.traits, task: call.request.manifest.identifier,
      rounds: call.rounds, sample: sample, summary: summary,
      again: { call.again(seed: $0) })
    try Output(context.output, json ? .json : .human).write(answer)
    if let fault = answer.fault { throw fault }
    return 0
  }

  /// Does the rounds and gives what they found, with the sample that they used.
  private func run(_ call: TrialCall, _ reader: SampleReader, _ context: CommandContext) throws
    -> (TrialSummary, SampleImage)
  {
    try TemporaryFolder.with(
      in: ScratchFolder(context.environment).path, for: "trials", call.request.options.stop
    ) { folder in
      let trials = try TaskTrials(
        request: call.request, sample: reader.sample,
        dataTypes: call.request.manifest.traits.dataTypes.compactMap(DataType.init(rawValue:)),
        rounds: call.rounds, seed: call.seed, folder: folder)
      defer { context.console.live("") }
      let summary = try trials.run { done in
        if context.console.isTerminal {
          context.console.live("round \(done) of \(call.rounds)")
        }
      }
      return (summary, trials.sample)
    }
  }
}

/// A call of `omtask manifest test`, read by the manifest of the task.
struct TrialCall {
  let request: RunRequest
  let input: String
  let rounds: Int
  let seed: Int
  private let words: [String]
  private let python: String?
  private let programName: String

  /// Seconds without a finished region after which nothing moves any more, as for `run`.
  static let stallTimeout = 900

  /// The flags that are the task's where its manifest has a parameter of the name.
  private static let shared = ["seed", "rounds"]

  init(_ command: TestManifestCommand, _ context: CommandContext) throws(Fault) {
    guard let name = command.words.first, !name.hasPrefix("-") else {
      throw Fault(
        .usage, "", "`omtask manifest test` is given no task",
        hint: "`omtask manifest test TASK --input IMAGE.zarr`")
    }
    let (entry, manifest) = try context.catalogue.task(name)
    guard let input = command.input else {
      throw Fault(
        .usage, "", "`--input` is missing",
        hint: "`omtask manifest test \(name) --input IMAGE.zarr`")
    }
    var given = Array(command.words.dropFirst())
    var own: [String: String] = [:]
    for (flag, value) in zip(Self.shared, [command.seed, command.rounds]) {
      guard let value else { continue }
      if manifest.parameters[flag] == nil {
        own[flag] = value
      } else {
        given.append("--\(flag)=\(value)")
      }
    }
    let known = try CommandDescription.ofProgram().subcommand("manifest")?.subcommand("test")?.flags
    let sorted = try ParameterWords(given, manifest: manifest, flags: known ?? [])
    if let stray = sorted.uris.first {
      throw Fault(
        .usage, "", "`\(stray)` is neither a flag nor a parameter",
        hint: "the image is given by `--input`")
    }
    var options = RunOptions()
    // As a run does: a child is given up before all is.
    options.surroundings.patience = 0.9 * Double(Self.stallTimeout)
    options.surroundings.python = try command.program.interpreter(of: entry, manifest)
    request = RunRequest(
      entry: entry, manifest: manifest,
      parameters: try ParameterBinder(manifest).bind(commandLine: sorted.values, arguments: [:]),
      inputs: [], options: options)
    self.input = input
    rounds = try Self.number(own["rounds"], "rounds", 1...100_000) ?? 20
    seed = try Self.number(own["seed"], "seed", 0...(1 << 52)) ?? 0
    words = [name] + given
    python = command.program.python
    programName = context.programName
  }

  private static func number(
    _ text: String?, _ flag: String, _ range: ClosedRange<Int>
  ) throws(Fault) -> Int? {
    guard let text else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw Fault(
        .usage, "",
        "`--\(flag)` is `\(text)`, it must be \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// The call that does one round again, and no other where the seed can be given.
  func again(seed: Int) -> String {
    var all = [programName, "manifest", "test"] + words + ["--input", input]
    if let python { all += ["--python", python] }
    if request.manifest.parameters["seed"] == nil {
      all += ["--seed", "\(seed)", "--rounds", "1"]
    } else if request.manifest.parameters["rounds"] == nil {
      all += ["--rounds", "\(seed + 1)"]
    }
    return all.map(Self.quoted).joined(separator: " ")
  }

  /// A word as a shell reads it.
  private static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-_./=,:+%@".utf8.contains($0)
      }
    }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}

import ArgumentParser
import OMBench
import OMJSON
import OMRun
import OMTask

/// `omtask bench`: what things cost on this machine.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure what work costs on this machine, and which layout of chunks suits it.",
    discussion: """
      `omtask bench` alone is `omtask bench model`: the figures for `omtask plan --simulate`.
      """,
    subcommands: [BenchModelCommand.self, BenchLayoutsCommand.self],
    defaultSubcommand: BenchModelCommand.self)
}

/// Where measurements put their files.
struct BenchFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Measure with files in this folder, which is left as it was; default: the folder for temporary \
      files, `SLURM_TMPDIR`, `TMPDIR` or `/tmp`.
      """, valueName: "folder"))
  var scratch: String?

  /// Does something with a temporary folder that is gone afterwards, also when a signal ends it.
  func measure<Value>(
    _ context: CommandContext, _ stop: StopSwitch, _ body: (String) throws -> Value
  ) throws -> Value {
    let watcher = StopWatcher(StopWatcher.Watch(), stop, context.console, context.environment)
    if context.ownsProcess { watcher.start() }
    defer { watcher.finish() }
    return try TemporaryFolder.with(
      in: folder(context.environment), for: "bench", stop, body)
  }

  /// The folder below which measurements put their files.
  func folder(_ environment: Environment) -> String { scratch ?? ScratchFolder(environment).path }
}

/// `omtask bench layouts`: a volume written and read in many layouts.
struct BenchLayoutsCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "layouts",
    abstract: "Write and read a volume in many layouts: chunks, shards, codecs.",
    discussion: """
      Each chunk shape is tried with and without shards, and each codec with the first chunk shape. \
      Every layout is read as a whole, in 64 random boxes and in 8 planes along each axis, and compared \
      with what was written. Files are in the cache of the machine when they are read: figures are those \
      of a warm cache.
      """)

  @Option(
    help: ArgumentHelp(
      "Take the voxels of this image, the middle of its first volume; default: a generated volume.",
      valueName: "uri"))
  var input: String?

  @Option(help: ArgumentHelp("The size of the volume, as `64M`.", valueName: "size"))
  var size = ByteCount(megabytes: 64)

  @Option(
    help: ArgumentHelp(
      "Chunk shapes along z, y and x, separated by commas.", valueName: "zxyxx"))
  var chunks = "64x64x64,128x128x128,1x512x512,16x256x256"

  @Option(
    help: ArgumentHelp(
      "Codecs, separated by commas: `blosc-zstd`, `blosc-lz4`, `zstd`, `gzip`, `none`.",
      valueName: "names"))
  var codecs = BenchCodec.allCases.map(\.rawValue).joined(separator: ",")

  @Option(
    help: ArgumentHelp("Whether chunks are put into shards.", valueName: "both|yes|no"))
  var shards = ShardSetting.both

  @Flag(help: "Try all combinations of chunk shapes, shards and codecs.")
  var all = false

  @Option(
    help: ArgumentHelp(
      """
      About how long to measure; each layout is done at least once and at most five times, and the \
      medians are shown.
      """, valueName: "seconds"))
  var seconds = Seconds(60)

  @Option(
    help: ArgumentHelp(
      "Worker threads; `auto` takes the CPUs that the job may use.", valueName: "n|auto"))
  var threads: ThreadSetting = .auto

  @OptionGroup(title: "Files") var place: BenchFlags

  @Option(help: ArgumentHelp("Also write the table as CSV.", valueName: "file"))
  var csv: String?

  @Option(help: ArgumentHelp("Also draw the table, as SVG.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Answer with JSON.")
  var json = false

  /// The largest volume: it is kept in memory.
  private static let largest = 4 << 30

  func run(in context: CommandContext) throws -> Int32 {
    let choices = LayoutChoice.choices(
      chunks: try chunkShapes(), shards: shards.values, codecs: try codecList(), all: all)
    guard size.bytes <= Self.largest else {
      throw Fault(.usage, "", "`--size` is \(byteText(size.bytes)), it may be 4 GiB at most")
    }
    let table = try csv.map { (path) throws(Fault) in try ResultFile(path: path, flag: "csv") }
    let chart = try plot.map { (path) throws(Fault) in try ResultFile(path: path, flag: "plot") }
    let volume =
      try input.map {
        try BenchVolume(ReadTarget.openImage($0, for: "bench layouts"), byteCount: size.bytes)
      } ?? BenchVolume(byteCount: size.bytes)
    let workers = threads.count(in: context.environment)
    let stop = StopSwitch()
    let results = try place.measure(context, stop) { folder in
      let bench = LayoutBench(
        volume: volume, threads: workers, folder: folder,
        patience: Double(seconds.count) / Double(max(1, choices.count)), stop: stop)
      defer { context.console.live("") }
      return try choices.enumerated().map { number, choice in
        if context.console.isTerminal {
          context.console.live("layout \(number + 1) of \(choices.count)")
        }
        return try bench.run(choice)
      }
    }
    let answer = LayoutAnswer(results: results, volume: volume, threads: workers)
    try table?.write(Array(answer.csv.utf8))
    try chart?.write(Array(LayoutChart(answer: answer).svg.utf8))
    try Output(context.output, json ? .json : .human).write(answer)
    return 0
  }

  private func chunkShapes() throws(Fault) -> [[Int]] {
    var shapes: [[Int]] = []
    for text in chunks.split(separator: ",") {
      let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
      guard sizes.count == 3, sizes.allSatisfy({ 1...4096 ~= $0 }), sizes.reduce(1, *) <= 1 << 27
      else {
        throw Fault(
          .usage, "", "`--chunks` holds `\(text)`, expected sizes of z, y and x as in `64x64x64`")
      }
      shapes.append(sizes)
    }
    if shapes.isEmpty { throw Fault(.usage, "", "`--chunks` is empty") }
    return shapes
  }

  private func codecList() throws(Fault) -> [BenchCodec] {
    var list: [BenchCodec] = []
    for name in codecs.split(separator: ",") {
      guard let codec = BenchCodec(rawValue: String(name)) else {
        throw Fault(
          .usage, "", "`--codecs` names no codec `\(name)`",
          hint: "the names are \(BenchCodec.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      list.append(codec)
    }
    if list.isEmpty { throw Fault(.usage, "", "`--codecs` is empty") }
    return list
  }
}

/// Whether chunks are put into shards.
enum ShardSetting: String, Sendable, CaseIterable, ExpressibleByArgument {
  case both, yes, no

  var values: [Bool] { self == .both ? [true, false] : [self == .yes] }
}

extension ByteCount: CustomStringConvertible {
  /// So many MiB.
  init(megabytes: Int) { self.init(bytes: megabytes << 20) }

  private init(bytes: Int) { self.bytes = bytes }

  /// The size as it may be written in a call.
  var description: String {
    bytes.isMultiple(of: 1 << 20) ? "\(bytes >> 20)M" : "\(bytes)"
  }
}

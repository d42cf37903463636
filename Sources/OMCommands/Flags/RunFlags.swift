import ArgumentParser
import OMJSON
import OMManifest
import OMRun
import OMTask

/// What to read.
struct InputFlags: ParsableArguments {
  @Option(
    name: .customLong("input"),
    help: ArgumentHelp("An image, plate or well; may be repeated.", valueName: "uri"))
  var inputs: [String] = []

  @Option(
    name: .customLong("inputs"),
    help: ArgumentHelp(
      "A file with one URI per line, `-` for standard input; lines that begin with # are skipped.",
      valueName: "file|-"))
  var inputList: String?

  @Option(
    help: ArgumentHelp(
      "Wells of a plate, separated by commas; `*` takes a whole row or column: `B/03,C/*`.",
      valueName: "row/column"))
  var wells: String?

  @Option(help: ArgumentHelp("The acquisition of a plate to take; default: all.", valueName: "n"))
  var acquisition: Int?

  @Option(
    help: ArgumentHelp(
      "The part of the axes to process: `t=0:10,z=3` is the first ten time points of slice 3.",
      discussion: """
        The result keeps the image's full size: outside the selection a label is background, a \
        derived image is 0, and statistics use the selected voxels only.
        """,
      valueName: "axis=range"))
  var select: [String] = []

  @Option(
    help: ArgumentHelp(
      "Process only the boxes of this ROI table of each image, such as `FOV_ROI_table`.",
      discussion: """
        Boxes may overlap and are cut to `--select`. Outside of them a label is background and a \
        derived image is 0. Statistics use the voxels of all boxes together, never box by box.
        """, valueName: "name"))
  var roiTable: String?

  @Option(
    help: ArgumentHelp(
      """
      What to do with a damaged chunk: `stop` fails the image, `fill` takes the fill value and \
      lists the chunk in the report.
      """, valueName: "stop|fill"))
  var onDamage: DamagePolicy = .stop

  @Flag(help: "Follow links, and paths of collections, that leave the image or folder.")
  var followLinks = false
}

/// Where to write.
struct OutputFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      A new OME-Zarr for the results, an archive if its name ends in .ozx; a new plate for the \
      images that are made of a plate.
      """,
      valueName: "uri"))
  var output: String?

  @Flag(
    help: """
      Name an image that is made in a well by letters and digits only (`0gaussian`), as OME-Zarr before \
      0.6 wants it, and not as Fractal does (`0_gaussian`).
      """)
  var plainNames = false

  @Option(
    help: ArgumentHelp(
      """
      Also list the results in this JSON file, a collection of RFC-8 (a draft), which is made when it \
      is not there.
      """,
      valueName: "file"))
  var collection: String?
}

/// What a process may use.
struct ResourceFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Worker threads of each process; `auto` takes the CPUs that the job may use.",
      valueName: "n|auto"))
  var threads: ThreadSetting = .auto

  @Option(
    help: ArgumentHelp(
      """
      Memory of each process, as `8G` or `512M`; default: half of the job's or the machine's, \
      shared by the ranks of a node.
      """, valueName: "size"))
  var memory: ByteCount?
}

/// The ranks that a plan is made for.
struct RankFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Plan for this many MPI ranks; with --simulate also a list, as `1,2,4`.", valueName: "n"))
  var ranks = RankList([1])
}

/// Numbers of ranks as a flag takes them.
struct RankList: Sendable, Equatable, ExpressibleByArgument, CustomStringConvertible {
  /// The numbers.
  let counts: [Int]

  /// Makes a list.
  init(_ counts: [Int]) { self.counts = counts }

  /// Reads whole numbers between commas; nil for anything else.
  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    counts = parts.compactMap { Int($0) }
    if counts.count != parts.count { return nil }
  }

  var description: String { counts.map(String.init).joined(separator: ",") }
}

/// How a run is simulated.
struct SimulationFlags: ParsableArguments {
  @Flag(
    help: """
      Say how long the run would take, by the costs that `omtask bench` measured: makespan, imbalance, \
      bytes, memory and metadata operations of up to 100000 ranks.
      """)
  var simulate = false

  @Option(
    help: ArgumentHelp(
      """
      For --simulate: how many ranks share a machine like the one that was measured; default: as many as \
      its cores allow.
      """, valueName: "n"))
  var ranksPerNode: Int?

  @OptionGroup var file: ModelFlags

  /// The most ranks of a simulation.
  static let mostRanks = 100_000
}

/// What of the work a run does.
struct ShareFlags: ParsableArguments {
  @Flag(
    help: """
      Begin anew where an earlier run was stopped; otherwise the same command goes on from there. \
      Programs that do whole images by themselves do all of them again.
      """)
  var fresh = false

  @Option(
    help: ArgumentHelp(
      """
      Do part i of n, i from 0, beside other processes that do the other parts; `omtask finalize` \
      does the rest. `auto` takes i and n from a job array of Slurm.
      """, valueName: "i/n|auto"))
  var part: PartSetting?
}

/// How a run is started and stopped.
struct ControlFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What waits until it is on the disk: `none`, all of a result before it becomes visible \
      (`commit`), or every file at once (`shard`).
      """, valueName: "none|commit|shard"))
  var durability: Durability = .commit

  @Option(
    help: ArgumentHelp(
      "Whether a launcher (`mpirun`, `srun --mpi=pmix`) may start ranks.", valueName: "auto|off"))
  var mpi: MPISetting = .auto

  @Flag(help: "Stop at the first image that fails; otherwise the others go on.")
  var failFast = false

  @Option(
    help: ArgumentHelp(
      """
      Stop in order, with exit code 75, when fewer seconds are left of the job; the end is known \
      from `SLURM_JOB_END_TIME` or from Slurm's `squeue`, elsewhere a warning says that nothing \
      is stopped.
      """, valueName: "seconds"))
  var stopBefore: Seconds?

  @Option(
    help: ArgumentHelp(
      """
      End the run with exit code 75 when for so long no region was finished anywhere, or a rank \
      gave no sign of life; 0 waits for ever.
      """, valueName: "seconds"))
  var stallTimeout = Seconds(900)

  @Option(
    help: ArgumentHelp(
      """
      Wait this long for another process that does the same run or changes the same list of \
      labels, then end with exit code 75.
      """, valueName: "seconds"))
  var lockWait = Seconds(60)

  @OptionGroup var scratch: ScratchFlags

  @Flag(
    help: """
      Take it that nobody else writes to a bucket whose server knows no conditions (`If-Match`); \
      otherwise lists and `--overwrite` end with exit code 76 there.
      """)
  var assumeSingleWriter = false
}

/// Where results for buckets grow.
struct ScratchFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      The local folder in which results for a bucket grow, which all ranks must see; default: \
      `SLURM_TMPDIR`, `TMPDIR`, or `~/.cache`.
      """, valueName: "folder"))
  var scratch: String?
}

/// What tasks that are not built in are run with.
struct ProgramFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The interpreter of a task in Python that is not built in, instead of its own.",
      valueName: "file"))
  var python: String?

  /// The interpreter for a task; nil when none is given.
  ///
  /// - Throws: A fault of kind `usage` when the task is built in.
  func interpreter(of entry: CatalogEntry, _ manifest: Manifest) throws(Fault) -> String? {
    if python != nil && entry.file == nil {
      throw Fault(
        .usage, "--python", "`\(manifest.identifier)` is built in and needs no interpreter")
    }
    return python
  }
}

/// Where the parameters come from when a program calls.
struct ArgumentsFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Parameters as one JSON object (`zarr_url` is the image), `-` for standard input; the \
      command line wins over it.
      """, valueName: "file|-"))
  var argsJSON: String?

}

/// What programs read about a run.
struct MachineFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Fractal's result file (`image_list_updates`), written last, only after success.",
      valueName: "file"))
  var outJSON: String?

  @Option(
    help: ArgumentHelp(
      "Events as JSON lines, `-` for standard output.", valueName: "file|-"))
  var events: String?

  @Option(help: ArgumentHelp("Everything about the run as one JSON file.", valueName: "file"))
  var report: String?

  @Option(
    help: ArgumentHelp(
      "`plain` prints lines instead of a bar; `none` prints neither progress nor summary.",
      valueName: "auto|plain|none"))
  var progress: ProgressSetting = .auto
}

/// Whether anything is done.
struct TrialFlags: ParsableArguments {
  @Flag(help: "Say what would happen and write nothing, as `omtask plan`.")
  var dryRun = false
}

extension MPISetting: ExpressibleByArgument {}
extension DamagePolicy: ExpressibleByArgument {}
extension Durability: ExpressibleByArgument {}

/// What a run would take on some ranks, as a cost model says.
package struct Simulation: Sendable, Equatable {
  /// Ranks, worker threads of each, and machines.
  package var ranks = 1
  package var threads = 1
  package var nodes = 1
  /// Whether regions of one image are spread over the ranks, or whole images are.
  package var splitsImages = true
  /// Seconds that starting and ending the ranks takes.
  package var start = 0.0
  /// Seconds of the run itself.
  package var run = 0.0
  /// The parts of the run in their order.
  package var stages: [SimulatedTime] = []
  /// Seconds of processors of a rank.
  package var busy = Spread()
  /// Decoded bytes that a rank reads.
  package var read = Spread()
  /// Bytes before compression that a rank writes.
  package var written = Spread()
  /// What file systems are asked for, by all ranks.
  package var metadata = MetadataOperations()
  /// The most that one rank asks for.
  package var mostMetadata = 0
  /// Bytes of memory of one rank, by the plan's estimate.
  package var memory = 0
  /// The ranks of one machine.
  package var ranksPerNode = 1

  /// Makes an empty simulation.
  package init() {}

  /// Seconds from the start of the ranks to their end.
  package var makespan: Double { start + run }
  /// By how much the busiest rank has more to do than the mean.
  package var imbalance: Double { busy.mean > 0 ? busy.most / busy.mean : 1 }
}

/// How long a part of a run takes.
package struct SimulatedTime: Sendable, Equatable {
  /// The part: a pass, `between passes`, `levels`, `sync` or `the rest`.
  package let name: String
  /// Seconds by the clock.
  package var seconds: Double
}

/// The same figure of all ranks.
package struct Spread: Sendable, Equatable {
  /// The smallest.
  package var least = 0.0
  /// The mean.
  package var mean = 0.0
  /// The largest.
  package var most = 0.0
  /// The sum.
  package var sum = 0.0

  /// A spread of nothing.
  package init() {}

  /// The spread of the figures of all ranks.
  init(_ values: [Double]) {
    sum = values.reduce(0, +)
    least = values.min() ?? 0
    most = values.max() ?? 0
    mean = values.isEmpty ? 0 : sum / Double(values.count)
  }
}

/// What a file system's server is asked for.
package struct MetadataOperations: Sendable, Equatable {
  /// Files that are made.
  package var creates = 0
  /// Folders that are made, each by whoever needs it first.
  package var folders = 0
  /// Files that are renamed.
  package var renames = 0
  /// Files that are opened for reading.
  package var opens = 0
  /// Files whose size and time are asked for.
  package var stats = 0

  /// Nothing.
  package init() {}

  /// All together.
  package var sum: Int { creates + folders + renames + opens + stats }

  static func += (sum: inout MetadataOperations, more: MetadataOperations) {
    sum.creates += more.creates
    sum.folders += more.folders
    sum.renames += more.renames
    sum.opens += more.opens
    sum.stats += more.stats
  }
}

/// The simulations of a call, and what a person should know of them.
package struct Simulations: Sendable {
  /// One for each number of ranks.
  package var runs: [Simulation] = []
  /// Images that are to be done.
  package var images = 0
  /// What makes the figures less sure.
  package var notes: [String] = []
}

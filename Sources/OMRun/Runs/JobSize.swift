/// How large a job should be that does what a plan says.
package struct JobSize: Sendable, Equatable {
  /// Processes: the ranks of one job, or parts that are jobs of their own.
  package let processes: Int
  /// Worker threads of each.
  package let threads: Int
  /// Bytes that the scheduler should give to each process.
  package let memory: Int
  /// Into how many parts the work may be cut where there is no MPI; 1 where it cannot be cut.
  package let parts: Int
}

extension RunPlan {
  /// A job of a size that is worth its start; nil where programs read and write images by themselves.
  ///
  /// Each worker decodes a GiB, which takes some seconds, and has two pieces of the work at least, so
  /// that none waits long for the last one.
  package var job: JobSize? {
    guard programs.isEmpty else { return nil }
    let threads = max(1, threads)
    let open = images.filter { !$0.passes.isEmpty }
    let regions = open.map { $0.passes.map(\.regions.count).max() ?? 0 }.max() ?? 0
    let byPieces = max(open.count, regions) / (2 * threads)
    let bySize = (bytesRead + JobSize.share * threads - 1) / (JobSize.share * threads)
    let processes = max(1, min(byPieces, bySize))
    let hasWholeImages = !ImageSpread.splits(regions: images.map(\.regions), workers: processes)
    return JobSize(
      processes: processes, threads: threads,
      // What the plan promises, and the program with its libraries.
      memory: memory + memory / 10 + (128 << 20),
      parts: hasWholeImages || open.allSatisfy(\.takesParts) ? processes : 1)
  }
}

extension JobSize {
  /// Bytes that a worker decodes in a few seconds.
  fileprivate static let share = 1 << 30
}

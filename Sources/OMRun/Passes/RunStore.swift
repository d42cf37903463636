import OMJSON
import OMObjects
import Synchronization

/// The blocks of one region between two passes.
struct RegionParts: Sendable {
  var blocks: [LabelledBlock] = []
  var openings: [BlockOpening] = []
  /// Whether the runs were dropped and must be found again before painting.
  var droppedRuns = false
}

/// Decides which blocks keep their runs between two passes, within a limit of memory.
///
/// What every block keeps at least (its components and its surface) has no smaller form: when that
/// exceeds the limit, the run is refused before anything is visible.
final class RunStore: Sendable {
  private let limit: Int
  private let used = Mutex(0)

  init(limit: Int) { self.limit = limit }

  /// Takes the blocks of a region.
  ///
  /// - Parameters:
  ///   - blocks: The blocks.
  ///   - grid: The volumes around them.
  ///   - mayDropRuns: Whether runs can be found again.
  /// - Returns: What is kept of them.
  /// - Throws: A fault of kind `limit` when even the components, or runs that must be kept, do not
  ///   fit.
  func keep(
    _ blocks: [LabelledBlock], in grid: BlockGrid, mayDropRuns: Bool
  ) throws(Fault) -> RegionParts {
    var parts = RegionParts()
    parts.openings = blocks.map { $0.opening(in: grid) }
    let runs = blocks.reduce(0) { $0 + $1.runByteCount }
    let least =
      blocks.reduce(0) { $0 + $1.byteCount - $1.runByteCount }
      + parts.openings.reduce(0) { $0 + $1.byteCount }
    let (keepsRuns, total) = used.withLock { used in
      used += least
      let fits = used + runs <= limit || !mayDropRuns
      if fits { used += runs }
      return (fits, used)
    }
    if total > limit {
      throw Fault(
        .limit, "--memory",
        "the components need more than \(limit / 1_048_576) MiB, half of the memory of a process",
        hint: "give more with --memory, or spread the image over more ranks")
    }
    parts.blocks = keepsRuns ? blocks : blocks.map { $0.droppingRuns() }
    parts.droppedRuns = !keepsRuns
    return parts
  }
}

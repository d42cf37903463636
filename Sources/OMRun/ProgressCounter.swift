import OMGrid
import OMTask
import OMZarr
import Synchronization

/// Counts finished pieces and tells an observer.
final class ProgressCounter: Sendable {
  private struct State {
    var phase = ""
    var done = 0
    var total = 0
    var bytes = 0
    var voxels = 0
  }

  private let observer: (any RunObserver)?
  private let unit: String
  private let state = Mutex(State())

  /// Makes a counter.
  ///
  /// - Parameters:
  ///   - observer: Who hears of it; nil on ranks that do not tell.
  ///   - unit: `regions` or `images`.
  init(_ observer: (any RunObserver)?, unit: String) {
    self.observer = observer
    self.unit = unit
  }

  /// Starts a phase.
  func begin(_ phase: String, total: Int) {
    state.withLock {
      $0.phase = phase
      $0.done = 0
      $0.total = total
    }
  }

  /// Counts a finished region.
  func add(_ piece: Piece, _ plan: LabelPlan) {
    add(bytes: Int(piece.cost) * plan.source.metadata.dataType.byteCount)
  }

  /// Counts a finished unit of this many raw bytes.
  func add(bytes: Int) {
    let now = state.withLock { state in
      state.done += 1
      state.bytes += bytes
      return RunProgress(
        done: state.done, total: state.total, unit: unit, phase: state.phase, bytes: state.bytes)
    }
    observer?.handle(.progress(now))
  }
}

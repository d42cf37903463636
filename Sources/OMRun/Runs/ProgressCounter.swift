import OMGrid
import OMTask
import OMZarr
import Synchronization

/// Counts finished work over all passes, images and ranks, and tells an observer.
final class ProgressCounter: Sendable {
  private struct State {
    var phase = ""
    var image = 0
    /// Units of the images before.
    var before = 0
    var done = 0
    var total = 0
    var bytes = 0
  }

  private let observer: (any RunObserver)?
  private let unit: String
  private let images: Int
  private let log: WorkLog?
  private let state = Mutex(State())

  /// Makes a counter.
  ///
  /// - Parameters:
  ///   - observer: Who hears of it; nil on ranks that do not tell.
  ///   - unit: `regions` or `images`.
  ///   - images: How many images come one after the other; 1 when images are the units.
  ///   - log: Where a stop finds how far the run was.
  init(_ observer: (any RunObserver)?, unit: String, images: Int = 1, log: WorkLog? = nil) {
    self.observer = observer
    self.unit = unit
    self.images = images
    self.log = log
    if observer != nil {
      log?.whenOthersMove { [weak self] in self?.tell() }
    }
  }

  /// Starts an image.
  ///
  /// Images that are still to come are taken to have as many units as this one.
  ///
  /// - Parameters:
  ///   - number: The number of the image, from 0.
  ///   - units: Its units over all passes and ranks.
  func begin(image number: Int, units: Int) {
    state.withLock {
      $0.image = number
      $0.before = number * units
      $0.done = 0
      $0.total = images * units
    }
  }

  /// Starts a pass.
  func begin(_ pass: ImagePass) {
    state.withLock { $0.phase = pass.rawValue }
    log?.enter(pass.rawValue)
  }

  /// Counts a finished region.
  func add(_ piece: Piece, _ plan: any ArrayPlan) {
    add(bytes: piece.voxels * plan.source.metadata.dataType.byteCount)
  }

  /// Counts units that an earlier invocation of the run did.
  func skip(_ units: Int) { state.withLock { $0.done += units } }

  /// Counts a finished unit of this many raw bytes.
  func add(bytes: Int) {
    let (now, image, done) = state.withLock { state in
      state.done += 1
      state.bytes += bytes
      return (progress(state), state.image, state.done)
    }
    log?.note(now, image: image, done: done)
    observer?.handle(.progress(now))
  }

  /// Tells what other ranks did.
  private func tell() {
    let (now, image, done) = state.withLock { (progress($0), $0.image, $0.done) }
    if now.total == 0 { return }
    log?.note(now, image: image, done: done)
    observer?.handle(.progress(now))
  }

  private func progress(_ state: State) -> RunProgress {
    let others = log?.others(image: state.image) ?? (done: 0, bytes: 0)
    return RunProgress(
      done: min(state.before + state.done + others.done, state.total), total: state.total,
      unit: unit, phase: state.phase, bytes: state.bytes + others.bytes)
  }
}

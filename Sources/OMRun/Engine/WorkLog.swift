import Synchronization

/// What the workers of a process have in hand and have finished, for messages and for whoever
/// watches that work moves on.
package final class WorkLog: Sendable {
  /// A piece in hand.
  private struct Entry {
    let piece: Int
    let name: @Sendable (Int) -> String
    let start: SuspendingClock.Instant
  }

  private struct State {
    /// For each worker what it does; pieces of an image lie above the image.
    var inHand: [[Entry]] = []
    var finished = 0
    var lastFinish = SuspendingClock.now
    var progress: RunProgress?
  }

  private let state = Mutex(State())

  /// Makes an empty log.
  init() {}

  /// Notes that a worker begins a piece.
  ///
  /// - Parameters:
  ///   - piece: The number of the piece in its walk.
  ///   - worker: The number of the worker.
  ///   - name: Names a piece of this walk.
  func begin(_ piece: Int, worker: Int, name: @escaping @Sendable (Int) -> String) {
    let entry = Entry(piece: piece, name: name, start: .now)
    state.withLock { state in
      while state.inHand.count <= worker { state.inHand.append([]) }
      state.inHand[worker].append(entry)
    }
  }

  /// Notes that a worker has left its latest piece.
  func end(worker: Int) {
    let now = SuspendingClock.now
    state.withLock { state in
      _ = state.inHand[worker].popLast()
      state.finished += 1
      state.lastFinish = now
    }
  }

  /// Pieces finished so far, in all walks.
  package var finished: Int { state.withLock { $0.finished } }

  /// Notes how far the run is.
  func note(_ progress: RunProgress) { state.withLock { $0.progress = progress } }

  /// How far the run is, for example `12 of 96 regions`; nil before there is anything to count.
  var progressText: String? {
    state.withLock { $0.progress }.map { "\($0.done) of \($0.total) \($0.unit)" }
  }

  /// The piece in hand for longest when no piece has been finished for a while.
  package struct Stillness: Sendable {
    /// Its name.
    package var piece: String
    /// Seconds since it was begun.
    package var seconds: Double

    /// A sentence about it.
    ///
    /// - Parameter place: Which process it is, for example `rank 3 on n2`; empty for the only one.
    /// - Returns: The sentence, without a final stop.
    package func sentence(place: String) -> String {
      let of = place.isEmpty ? "" : " of \(place)"
      return "no region was finished for \(Int(seconds)) s, \(piece)\(of) does not end"
    }
  }

  /// What has been in hand for longest, and for how long nothing has been finished meanwhile; nil
  /// when no worker has anything in hand.
  package var stillness: Stillness? {
    let (entry, last) = state.withLock { state in
      (state.inHand.compactMap(\.last).min { $0.start < $1.start }, state.lastFinish)
    }
    guard let entry else { return nil }
    let since = max(entry.start, last)
    return Stillness(piece: entry.name(entry.piece), seconds: (.now - since) / .seconds(1))
  }
}

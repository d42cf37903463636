import Glibc
import Synchronization

/// What the pieces of one stage of a run took, over all workers.
package struct StageTime: Sendable, Equatable {
  /// The stage: a pass, `levels` or `sync`.
  package let name: String
  /// Pieces of work.
  package var pieces = 0
  /// Seconds on a processor.
  package var cpu = 0.0
  /// Seconds from begin to end of each piece.
  package var wall = 0.0
}

/// What the workers of a process have in hand and have finished, for messages and for whoever
/// watches that work moves on.
package final class WorkLog: Sendable {
  /// A piece in hand.
  private struct Entry {
    let piece: Int
    let name: @Sendable (Int) -> String
    var start: SuspendingClock.Instant
    /// Seconds of the processor and of the clock at the begin, where times are taken.
    var meter: (cpu: Double, wall: Double)?
  }

  private struct State {
    /// For each worker what it does; pieces of an image lie above the image.
    var inHand: [[Entry]] = []
    var finished = 0
    var lastFinish = SuspendingClock.now
    /// How far this rank is in its image.
    var progress: RunProgress?
    var image = 0
    var done = 0
    /// What the other ranks last told; only rank 0 hears of them.
    var others: [Int: SignOfLife] = [:]
    var listener: (@Sendable () -> Void)?
    /// What is being done, and how long what came before took.
    var stage = ""
    var times: [StageTime] = []

    mutating func add(
      _ end: (cpu: Double, wall: Double), since start: (cpu: Double, wall: Double)
    ) {
      let place = times.firstIndex { $0.name == stage } ?? times.count
      if place == times.count { times.append(StageTime(name: stage)) }
      times[place].pieces += 1
      times[place].cpu += end.cpu - start.cpu
      times[place].wall += end.wall - start.wall
    }
  }

  private let state = Mutex(State())
  private let takesTimes = Atomic<Bool>(false)
  /// How often all ranks have met, or are about to, to agree on how some work ended.
  private let meetings = Atomic<Int>(0)
  /// The latest meeting for which some rank has failed already.
  private let failedMeeting = Atomic<Int>(0)

  /// Makes an empty log.
  init() {}

  /// Notes that a worker begins a piece.
  ///
  /// - Parameters:
  ///   - piece: The number of the piece in its walk.
  ///   - worker: The number of the worker.
  ///   - name: Names a piece of this walk.
  func begin(_ piece: Int, worker: Int, name: @escaping @Sendable (Int) -> String) {
    let meter = takesTimes.load(ordering: .relaxed) ? WorkLog.meter() : nil
    let entry = Entry(piece: piece, name: name, start: .now, meter: meter)
    state.withLock { state in
      while state.inHand.count <= worker { state.inHand.append([]) }
      state.inHand[worker].append(entry)
    }
  }

  /// Notes that a worker has left its latest piece.
  func end(worker: Int) {
    let now = SuspendingClock.now
    let meter = takesTimes.load(ordering: .relaxed) ? WorkLog.meter() : nil
    state.withLock { state in
      let entry = state.inHand[worker].popLast()
      state.finished += 1
      state.lastFinish = now
      if let meter, let start = entry?.meter { state.add(meter, since: start) }
    }
  }

  /// From now on takes the times of pieces, stage by stage; what was taken before is forgotten.
  package func takeTimes() {
    state.withLock { ($0.stage, $0.times) = ("", []) }
    takesTimes.store(true, ordering: .relaxed)
  }

  /// The times that were taken, in the order in which the stages began.
  package var times: [StageTime] { state.withLock { $0.times } }

  /// Notes which stage the pieces belong to that are begun from now on.
  func enter(_ stage: String) { state.withLock { $0.stage = stage } }

  /// Seconds that this thread was on a processor, and seconds of a clock that nobody sets.
  private static func meter() -> (cpu: Double, wall: Double) {
    var cpu = timespec()
    var wall = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu)
    clock_gettime(CLOCK_MONOTONIC, &wall)
    return (
      Double(cpu.tv_sec) + Double(cpu.tv_nsec) * 1e-9,
      Double(wall.tv_sec) + Double(wall.tv_nsec) * 1e-9
    )
  }

  /// Notes that a worker moves on in its piece, which takes long.
  func sign(worker: Int) {
    let now = SuspendingClock.now
    state.withLock { state in
      guard worker < state.inHand.count, let last = state.inHand[worker].indices.last else {
        return
      }
      state.inHand[worker][last].start = now
    }
  }

  /// Notes that work moves on that is no piece of a walk.
  func stir() { state.withLock { $0.lastFinish = .now } }

  /// Pieces finished so far, in all walks.
  package var finished: Int { state.withLock { $0.finished } }

  /// Begins work after which all ranks meet.
  func beginMeeting() { meetings.wrappingAdd(1, ordering: .relaxed) }

  /// The number of the next meeting, the same on every rank; 0 where no ranks meet.
  var meeting: Int { meetings.load(ordering: .relaxed) }

  /// Whether the work before a meeting is of no use, because some rank failed.
  func isGivenUp(_ meeting: Int) -> Bool {
    meeting > 0 && failedMeeting.load(ordering: .relaxed) == meeting
  }

  /// Notes that a rank failed in its work before a meeting.
  func giveUp(_ meeting: Int) { failedMeeting.max(meeting, ordering: .relaxed) }

  /// The latest meeting for which some rank failed; 0 when there is none.
  var givenUpMeeting: Int { failedMeeting.load(ordering: .relaxed) }

  /// Notes how far the run is.
  ///
  /// - Parameters:
  ///   - progress: The progress, as it is told.
  ///   - image: The number of the image in hand.
  ///   - done: Units of that image that this rank did.
  func note(_ progress: RunProgress, image: Int, done: Int) {
    state.withLock { state in
      state.progress = progress
      (state.image, state.done) = (image, done)
    }
  }

  /// Notes what another rank told.
  func note(_ sign: SignOfLife, of rank: Int) {
    let listener = state.withLock { state in
      let before = state.others.updateValue(sign, forKey: rank)
      return before?.done != sign.done || before?.bytes != sign.bytes ? state.listener : nil
    }
    listener?()
  }

  /// Calls `listener` when another rank told that it did something.
  func whenOthersMove(_ listener: @escaping @Sendable () -> Void) {
    state.withLock { $0.listener = listener }
  }

  /// What the other ranks did: units of an image, and raw bytes since the start.
  func others(image: Int) -> (done: Int, bytes: Int) {
    state.withLock { state in
      state.others.values.reduce(into: (0, 0)) { sum, sign in
        if sign.image == image { sum.0 += sign.done }
        sum.1 += sign.bytes
      }
    }
  }

  /// How this rank is getting on, but for the name of its machine.
  var sign: SignOfLife {
    let still = stillness
    return state.withLock { state in
      SignOfLife(
        finished: state.finished, image: state.image, done: state.done,
        bytes: state.progress?.bytes ?? 0, secondsInHand: still?.seconds ?? -1,
        piece: still?.piece ?? "")
    }
  }

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
      let of = place.isEmpty ? "" : " on \(place)"
      return "nothing was finished for \(Int(seconds)) s, and \(piece)\(of) does not end"
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

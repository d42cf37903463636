package import OMJSON
import Synchronization

/// Ends a run before its work is done; every engine looks at it before each piece.
///
/// Threads of any kind may ask for the stop. Pieces in hand are finished, no further one is begun,
/// and the walk throws `fault`.
package final class StopSwitch: Sendable {
  /// Why a run is stopped.
  package enum Reason: Sendable, Equatable {
    /// USR1 or USR2: regions in hand are finished, however long they take; exit code 75.
    case notice(signal: Int32)
    /// So many seconds are left of the job's time; as `notice`.
    case jobEnds(seconds: Int)
    /// Nothing moves any more, as this sentence says; exit code 75.
    case stalled(String)
    /// INT, TERM or HUP: the process ends within a second; exit code 128 + the number.
    case signal(Int32)

    /// A graver reason takes the place of a lesser one.
    private var gravity: Int {
      switch self {
      case .notice, .jobEnds: 0
      case .stalled: 1
      case .signal: 2
      }
    }

    /// Whether regions in hand are not waited for.
    package var isUrgent: Bool { gravity > 0 }

    fileprivate func isGraver(than other: Reason?) -> Bool {
      other.map { gravity > $0.gravity } ?? true
    }
  }

  private struct State {
    var reason: Reason?
    var endings: [Int: @Sendable () -> Void] = [:]
    var nextEnding = 0
    var listener: (@Sendable () -> Void)?
  }

  private let isThrown = Atomic<Bool>(false)
  private let state = Mutex(State())
  /// What the workers of this process do; the message of the stop counts from it.
  package let work = WorkLog()

  /// What to do after an end in the middle of the work.
  package static let wayOn = "the same command goes on from there"

  /// Makes a switch that is open.
  package init() {}

  /// Whether a stop was asked for; costs a read of memory.
  package var isOn: Bool { isThrown.load(ordering: .relaxed) }

  /// Why the run is stopped; nil when it is not.
  package var reason: Reason? { isOn ? state.withLock { $0.reason } : nil }

  /// Asks for the stop; the gravest reason counts, and of equal ones the first.
  package func request(_ reason: Reason) {
    let listener = state.withLock { state in
      if reason.isGraver(than: state.reason) { state.reason = reason }
      return state.listener
    }
    isThrown.store(true, ordering: .relaxed)
    listener?()
  }

  /// Calls `listener` after every request, on the thread that asks.
  package func whenRequested(_ listener: @escaping @Sendable () -> Void) {
    state.withLock { $0.listener = listener }
  }

  /// Goes on when no stop was asked for.
  ///
  /// - Throws: The fault of the stop.
  package func check() throws(Fault) {
    if isOn { throw fault }
  }

  /// The fault with which a stopped run ends.
  package var fault: Fault {
    let so = work.progressText.map { " after \($0)" } ?? ""
    switch reason {
    case .notice(let signal):
      return Fault(.stopped, "", "stopped by \(signalName(signal))\(so)")
    case .jobEnds(let seconds):
      return Fault(.stopped, "", "stopped\(so), \(seconds) s before the end of the job")
    case .stalled(let sentence):
      return Fault(.stalled, "", sentence)
    case .signal(let signal):
      return Fault(.signal, "", "ended by \(signalName(signal))\(so)", signal: signal)
    case nil:
      return Fault(.internal, "", "a run that nobody stopped was stopped")
    }
  }

  /// Keeps what must be released when the process ends in the middle of its work, such as a lock.
  ///
  /// - Parameters:
  ///   - beforeAll: Whether it is done before all others, which is otherwise the latest first.
  ///   - action: Called on any thread; it must be quick and may not wait for a worker.
  /// - Returns: The number with which `forget` drops it again.
  @discardableResult
  package func atForcedEnd(
    beforeAll: Bool = false, _ action: @escaping @Sendable () -> Void
  ) -> Int {
    state.withLock {
      $0.nextEnding += 1
      let key = beforeAll ? Int.max - $0.nextEnding : $0.nextEnding
      $0.endings[key] = action
      return key
    }
  }

  /// Drops an action of `atForcedEnd`, for what was released in order.
  package func forget(_ ending: Int) { state.withLock { $0.endings[ending] = nil } }

  /// Calls the actions of `atForcedEnd`, the latest first, each once.
  package func releaseAll() {
    let endings = state.withLock { state in
      defer { state.endings = [:] }
      return state.endings.sorted { $0.key > $1.key }
    }
    for ending in endings { ending.value() }
  }
}

/// The name of a signal as people write it, for example `TERM`.
package func signalName(_ number: Int32) -> String {
  switch number {
  case 1: "HUP"
  case 2: "INT"
  case 10: "USR1"
  case 12: "USR2"
  case 15: "TERM"
  default: "signal \(number)"
  }
}

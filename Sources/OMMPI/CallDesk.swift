import Glibc
import OMJSON
import OMStore

/// Takes the calls that only one thread may make: its owner, the thread that made the desk.
///
/// The owner serves while another thread, the run, hands it calls one at a time.
final class CallDesk: @unchecked Sendable {
  // Sendable by rule: `call` and `isOver` are only touched while `mutex` is held, `isClosed` and
  // `lastLook` only by the owner.
  private let owner = pthread_self()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// Something happened: a call came, a call is done, or the run is over.
  private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var call: (() -> Void)?
  private var isOver = false
  private var isClosed = false
  private var lastLook = SuspendingClock.now

  /// Milliseconds between two looks at what else there is to do.
  private static let interval = 50

  /// Makes a desk whose owner is the calling thread.
  init() {
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(change, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(change)
    pthread_mutex_destroy(mutex)
    change.deallocate()
    mutex.deallocate()
  }

  /// Makes a call on the owner's thread and waits for it.
  ///
  /// Only the thread of the run and the owner itself may ask.
  func onOwner<Value>(_ body: () -> Value) -> Value {
    if pthread_equal(pthread_self(), owner) != 0 { return body() }
    var result: Value?
    withoutActuallyEscaping(body) { body in
      withUnsafeMutablePointer(to: &result) { result in
        pthread_mutex_lock(mutex)
        call = { result.pointee = body() }
        pthread_cond_broadcast(change)
        while call != nil { pthread_cond_wait(change, mutex) }
        pthread_mutex_unlock(mutex)
      }
    }
    guard let result else { preconditionFailure("a call was dropped") }
    return result
  }

  /// Ends the looks at what else there is to do; only the owner may ask.
  ///
  /// Calls are still taken.
  func close() { isClosed = true }

  /// Does a run on a thread of its own and serves until it is over.
  ///
  /// - Parameters:
  ///   - run: The run.
  ///   - look: Called some twenty times a second.
  /// - Returns: What the run returns.
  /// - Throws: What the run throws, or a fault of kind `limit` when there is no thread for it.
  func serve<Value: Sendable>(
    _ run: @escaping @Sendable () throws(Fault) -> Value, meanwhile look: () -> Void
  ) throws(Fault) -> Value {
    let outcome = Outcome<Value>()
    // As much stack as the main thread has; the default is less where the limit is off.
    let thread = startThread(stackSize: 8 << 20) { [self] in
      outcome.result = Result(catching: run)
      pthread_mutex_lock(mutex)
      isOver = true
      pthread_cond_broadcast(change)
      pthread_mutex_unlock(mutex)
    }
    guard let thread else { throw Fault(.limit, "", "the system gives no thread for the run") }
    takeCalls(meanwhile: look)
    pthread_join(thread, nil)
    guard let result = outcome.result else {
      throw Fault(.internal, "", "the run ended without a result")
    }
    return try result.get()
  }

  private func takeCalls(meanwhile look: () -> Void) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isOver {
      if let call {
        // The run waits for this call, so nobody else needs the mutex meanwhile.
        call()
        self.call = nil
        pthread_cond_broadcast(change)
      } else {
        waitForChange()
      }
      if isClosed || .now - lastLook < .milliseconds(Self.interval) { continue }
      lastLook = .now
      pthread_mutex_unlock(mutex)
      look()
      pthread_mutex_lock(mutex)
    }
  }

  /// Waits for a call, the end of the run, or the next look, with the mutex held.
  private func waitForChange() {
    var until = timespec()
    clock_gettime(CLOCK_MONOTONIC, &until)
    until.tv_nsec += Self.interval * 1_000_000
    until.tv_sec += until.tv_nsec / 1_000_000_000
    until.tv_nsec %= 1_000_000_000
    pthread_cond_timedwait(change, mutex, &until)
  }
}

/// What a thread leaves behind.
private final class Outcome<Value: Sendable>: @unchecked Sendable {
  // Sendable by rule: read only after the thread has ended.
  var result: Result<Value, Fault>?
}

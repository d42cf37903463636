import Glibc
package import OMJSON
import Synchronization

/// Something that another thread gets from a server while the caller does something else.
package final class Fetch<Value: Sendable>: Sendable {
  private let arrival = Gate()
  private let result = Mutex<Result<Value, Fault>?>(nil)

  /// Sends for something.
  ///
  /// - Parameter body: Gets it, on a thread that may wait for long.
  package init(_ body: @escaping @Sendable () throws(Fault) -> Value) {
    Courier.send { [self] in
      let outcome = Result { () throws(Fault) in try body() }
      result.withLock { $0 = outcome }
      arrival.open()
    }
  }

  /// What came, as soon as it is here.
  ///
  /// - Throws: What getting it threw.
  package func value() throws(Fault) -> Value {
    arrival.wait()
    guard let outcome = result.withLock({ $0 }) else {
      throw Fault(.internal, "", "something arrived that is not there")
    }
    return try outcome.get()
  }
}

/// A thread that waits for servers; it is kept for the next errand.
///
/// Plain threads: blocking work never runs on Swift's cooperative pool.
private final class Courier: Sendable {
  private let job: Mutex<(@Sendable () -> Void)?>
  private let call = Gate()

  /// Those without an errand.
  private static let idle = Mutex<[Courier]>([])
  /// How many are kept while nobody needs them.
  private static let mostIdle = 32

  private init(_ job: @escaping @Sendable () -> Void) { self.job = Mutex(job) }

  /// Has something done by a thread of its own; by the caller where the system gives no more threads.
  static func send(_ job: @escaping @Sendable () -> Void) {
    if let courier = idle.withLock({ $0.popLast() }) {
      courier.job.withLock { $0 = job }
      return courier.call.open()
    }
    let courier = Courier(job)
    if let thread = startThread({ courier.work() }) { pthread_detach(thread) } else { job() }
  }

  private func work() {
    while true {
      job.withLock { $0.take() }?()
      let isKept = Self.idle.withLock { couriers in
        if couriers.count >= Self.mostIdle { return false }
        couriers.append(self)
        return true
      }
      if !isKept { return }
      call.wait()
      call.close()
    }
  }
}

/// Keeps threads waiting until another one opens it.
private final class Gate: @unchecked Sendable {
  // Sendable by rule: only the functions of semaphores touch the memory, from any thread.
  private let semaphore: UnsafeMutablePointer<sem_t>

  init() {
    semaphore = .allocate(capacity: 1)
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Lets all pass who wait, and who will.
  func open() { sem_post(semaphore) }

  /// Waits until it is open; it stays so.
  func wait() {
    // A signal may end the wait before its time.
    while sem_wait(semaphore) != 0 {}
    sem_post(semaphore)
  }

  /// Closes it again, by the only thread that waits.
  func close() { while sem_wait(semaphore) != 0 {} }
}

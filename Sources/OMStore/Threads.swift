package import Glibc
package import OMJSON
import Synchronization

/// Calls `body` with 0 ..< count at once, each on a thread of its own, and waits for all.
///
/// The calling thread does number 0. These are plain threads: blocking work never runs on Swift's
/// cooperative pool.
package func inParallel(_ count: Int, _ body: @Sendable (Int) -> Void) {
  withoutActuallyEscaping(body) { body in
    var threads: [pthread_t] = []
    var leftOver: [Int] = []
    for number in 1..<max(1, count) {
      if let thread = startThread({ body(number) }) {
        threads.append(thread)
      } else {
        leftOver.append(number)
      }
    }
    if count > 0 { body(0) }
    // Where the system gave fewer threads, the caller does the rest.
    for number in leftOver { body(number) }
    for thread in threads { pthread_join(thread, nil) }
  }
}

/// Calls `body` with 0 ..< count, some at a time; the first fault ends it.
package func atOnce(
  _ count: Int, width: Int, _ body: @Sendable (Int) throws(Fault) -> Void
) throws(Fault) {
  if count == 1 { return try body(0) }
  let next = Atomic(0)
  let fault = Mutex<Fault?>(nil)
  inParallel(min(width, count)) { _ in
    while true {
      let number = next.add(1, ordering: .relaxed).oldValue
      if number >= count { return }
      do throws(Fault) { try body(number) } catch {
        fault.withLock { $0 = $0 ?? error }
        next.store(count, ordering: .relaxed)
      }
    }
  }
  if let fault = fault.withLock({ $0 }) { throw fault }
}

/// Starts a thread; the caller joins or detaches it.
///
/// - Parameters:
///   - stackSize: Bytes of its stack; nil for what the system gives.
///   - body: What it does.
/// - Returns: The thread; nil where the system gives none.
package func startThread(
  stackSize: Int? = nil, _ body: @escaping @Sendable () -> Void
) -> pthread_t? {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  if let stackSize { pthread_attr_setstacksize(&attributes, stackSize) }
  let job = Unmanaged.passRetained(Job(body))
  var thread: pthread_t = 0
  let failed = pthread_create(
    &thread, &attributes,
    { argument in
      if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
      return nil
    }, job.toOpaque())
  if failed == 0 { return thread }
  job.release()
  return nil
}

/// What a thread does.
private final class Job: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

import Glibc

/// Calls `body` with 0 ..< count at once, each on a thread of its own, and waits for all.
///
/// The calling thread does number 0. These are plain threads: blocking work never runs on Swift's
/// cooperative pool.
package func inParallel(_ count: Int, _ body: @Sendable (Int) -> Void) {
  withoutActuallyEscaping(body) { body in
    var threads: [pthread_t] = []
    var leftOver: [Int] = []
    for number in 1..<max(1, count) {
      let job = Unmanaged.passRetained(Job { body(number) })
      var thread: pthread_t = 0
      let failed = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
          return nil
        }, job.toOpaque())
      if failed == 0 {
        threads.append(thread)
      } else {
        job.release()
        leftOver.append(number)
      }
    }
    if count > 0 { body(0) }
    // Where the system gave fewer threads, the caller does the rest.
    for number in leftOver { body(number) }
    for thread in threads { pthread_join(thread, nil) }
  }
}

/// What a thread does.
private final class Job: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

import Glibc
import Synchronization

/// Checks that go on at once, each for a limited time: a file server that is gone keeps whoever looks at it.
struct DoctorWork {
  /// One check.
  struct Check: Sendable {
    /// Finds out.
    let find: @Sendable () -> [DoctorFinding]
    /// What is told when that takes too long.
    let late: DoctorFinding
  }

  private final class Desk: Sendable {
    let found: Mutex<[[DoctorFinding]?]>
    init(_ count: Int) { found = Mutex(Array(repeating: nil, count: count)) }
  }

  private final class Job: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Does the checks and gives what they found, in their order.
  ///
  /// - Parameters:
  ///   - checks: The checks.
  ///   - seconds: How long all may take; a thread that has not ended by then is left behind.
  /// - Returns: What was found.
  static func findings(_ checks: [Check], within seconds: Double) -> [DoctorFinding] {
    let desk = Desk(checks.count)
    for (number, check) in checks.enumerated() {
      let job = Job {
        let found = check.find()
        desk.found.withLock { $0[number] = found }
      }
      if !start(job) { job.body() }
    }
    let end = ContinuousClock.now + .seconds(seconds)
    while desk.found.withLock({ $0.contains(nil) }) && ContinuousClock.now < end { usleep(1_000) }
    let found = desk.found.withLock { $0 }
    return zip(found, checks).flatMap { $0 ?? [$1.late] }
  }

  private static func start(_ job: Job) -> Bool {
    let kept = Unmanaged.passRetained(job)
    var thread: pthread_t = 0
    let failed = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, kept.toOpaque())
    if failed != 0 { kept.release() } else { pthread_detach(thread) }
    return failed == 0
  }
}

import Glibc
import OMStore
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

  /// Does the checks and gives what they found, in their order.
  ///
  /// - Parameters:
  ///   - checks: The checks.
  ///   - seconds: How long all may take; a thread that has not ended by then is left behind.
  /// - Returns: What was found.
  static func findings(_ checks: [Check], within seconds: Double) -> [DoctorFinding] {
    let desk = Desk(checks.count)
    for (number, check) in checks.enumerated() {
      let look: @Sendable () -> Void = {
        let found = check.find()
        desk.found.withLock { $0[number] = found }
      }
      if let thread = startThread(look) { pthread_detach(thread) } else { look() }
    }
    let end = ContinuousClock.now + .seconds(seconds)
    while desk.found.withLock({ $0.contains(nil) }) && ContinuousClock.now < end { usleep(1_000) }
    let found = desk.found.withLock { $0 }
    return zip(found, checks).flatMap { $0 ?? [$1.late] }
  }
}

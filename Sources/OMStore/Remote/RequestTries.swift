import Glibc
import OMJSON

/// Counts tries and waits between them, longer each time.
struct RequestTries {
  /// How often was asked.
  var count = 0
  /// Whether the server has ever answered.
  var hasAnswered = false
  private let most: Int
  private let mostSeconds: Int
  private let start = ContinuousClock().now
  /// The longest that is waited of our own accord.
  private static let longestWait = 30.0

  init(_ limits: Limits) {
    most = limits.remoteTries
    mostSeconds = limits.remoteTime
  }

  private var elapsed: Double {
    let parts = (ContinuousClock().now - start).components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }

  /// Whole seconds since the first try.
  var seconds: Int { Int(elapsed.rounded()) }

  /// Waits before the next try.
  ///
  /// - Parameter asked: The seconds that the server asks for.
  /// - Returns: Whether there is a next try.
  func waits(atLeast asked: Double?) -> Bool {
    if count >= most { return false }
    // Many workers that failed at once must not come back at once.
    let own = min(Self.longestWait, 0.25 * Double(1 << min(count - 1, 10))) * .random(in: 0.5...1)
    let wait = max(own, asked ?? 0)
    if elapsed + wait > Double(mostSeconds) { return false }
    let end = elapsed + wait
    // A signal may end the sleep before its time.
    while end - elapsed > 0.001 { usleep(UInt32(min(end - elapsed, 0.5) * 1e6)) }
    return true
  }
}

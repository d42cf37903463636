/// For how long a process has been running without a break.
///
/// A person or a scheduler may stop a process for hours and let it go on; what was silent meanwhile
/// was not silent by itself. Whoever waits for something looks here some times a second.
package struct UnbrokenTime: Sendable {
  private var start: SuspendingClock.Instant
  private var lastLook: SuspendingClock.Instant

  /// Seconds between two looks that may be no more than a busy machine.
  private let longestDelay: Double

  /// Begins now, for somebody who waits for so many seconds.
  package init(patience: Double, now: SuspendingClock.Instant = .now) {
    (start, lastLook) = (now, now)
    longestDelay = min(5, patience / 2)
  }

  /// Looks whether the process was stopped since the last time, and begins anew if so.
  ///
  /// - Returns: The seconds of the break; 0 when there was none.
  @discardableResult
  package mutating func look(now: SuspendingClock.Instant = .now) -> Double {
    let gap = (now - lastLook) / .seconds(1)
    lastLook = now
    if gap <= longestDelay { return 0 }
    start = now
    return gap
  }

  /// Seconds without a break, to the last look.
  package var seconds: Double { (lastLook - start) / .seconds(1) }
}

import Glibc

/// The time of day in the two forms that logs and machines expect.
enum WallClock {
  /// The time in UTC for machines: `2026-01-02T03:04:05.678Z`.
  static func iso() -> String {
    let (seconds, milliseconds) = now()
    return text(seconds, "%Y-%m-%dT%H:%M:%S", utc: true) + ".\(milliseconds)Z"
  }

  /// The local time as Python logs it: `2026-01-31 09:15:02,123`.
  static func local() -> String {
    let (seconds, milliseconds) = now()
    return text(seconds, "%Y-%m-%d %H:%M:%S", utc: false) + ",\(milliseconds)"
  }

  private static func now() -> (seconds: time_t, milliseconds: String) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let digits = String(time.tv_nsec / 1_000_000)
    return (time.tv_sec, String(repeating: "0", count: 3 - digits.count) + digits)
  }

  private static func text(_ seconds: time_t, _ format: String, utc: Bool) -> String {
    var seconds = seconds
    var parts = tm()
    if utc { gmtime_r(&seconds, &parts) } else { localtime_r(&seconds, &parts) }
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, buffer.count, format, &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

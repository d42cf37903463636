import Glibc

// What Linux says about machines and processes.

/// The name of this machine.
package func hostName() -> String {
  var names = utsname()
  guard uname(&names) == 0 else { return "unknown" }
  return withUnsafeBytes(of: &names.nodename) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// When a process started, in ticks since the machine was started, and whether it only waits to be
/// forgotten; nil when that cannot be seen.
///
/// - Parameter name: Its number, or `self`.
/// - Returns: The time and the state.
func startOfProcess(_ name: String) -> (time: Int, isZombie: Bool)? {
  guard let line = firstLine(of: "/proc/\(name)/stat"),
    // The program's own name, in brackets, may hold anything.
    let end = line.utf8.lastIndex(of: UInt8(ascii: ")"))
  else { return nil }
  let fields = line[end...].split(separator: " ").dropFirst()
  // proc(5): the state is field 3, the time of the start field 22.
  guard fields.count >= 20, let time = Int(fields[fields.startIndex + 19]) else { return nil }
  return (time, ["Z", "X"].contains(fields[fields.startIndex]))
}

/// The first line of a small file of the kernel, or nil.
func firstLine(of path: String) -> String? {
  let bytes: [UInt8]
  do {
    let file = try Descriptor(below: AT_FDCWD, path, O_RDONLY)
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = try buffer.withUnsafeMutableBytes { (buffer) throws(Errno) in
      try file.read(at: 0, into: buffer)
    }
    bytes = Array(buffer.prefix(count))
  } catch { return nil }
  return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
}

/// What a link says, or nothing.
func linkTarget(of path: String) -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  let count = readlink(path, &buffer, buffer.count)
  return String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// A time as people everywhere read it: 2026-11-21 08:30:54 UTC.
///
/// - Parameter seconds: Seconds since 1970.
/// - Returns: Date and time.
package func utcText(_ seconds: Int) -> String {
  var moment = time_t(seconds)
  var parts = tm()
  guard gmtime_r(&moment, &parts) != nil else { return "\(seconds) s after 1970" }
  var buffer = [CChar](repeating: 0, count: 64)
  let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S UTC", &parts)
  return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The time of this machine in nanoseconds since 1970.
func realTime() -> Int {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// Seconds by a clock that nobody sets.
func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}

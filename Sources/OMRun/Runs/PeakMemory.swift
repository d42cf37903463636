import Glibc

/// The largest resident memory of this process so far, in bytes.
///
/// Linux keeps `ru_maxrss` when another program is started in a process, so there it may be the figure
/// of a large Python process that has started this one. `VmHWM` belongs to the program.
func peakMemory() -> Int {
  if let own = statusKilobytes("VmHWM:") { return own * 1024 }
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  // Linux counts in units of 1024 bytes.
  return Int(usage.ru_maxrss) * 1024
}

/// A line of `/proc/self/status` that counts kilobytes; nil where there is none.
private func statusKilobytes(_ key: String) -> Int? {
  guard let file = fopen("/proc/self/status", "re") else { return nil }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 256)
  while fgets(&line, Int32(line.count), file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard text.hasPrefix(key) else { continue }
    return text.dropFirst(key.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
  }
  return nil
}

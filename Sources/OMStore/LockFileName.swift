import CSys
import Glibc

/// The name of the file of somebody who wants a lock: `NAME.<machine>-<process>-<start>-<random>`, in
/// hexadecimal digits.
///
/// The file of a process that was killed before it could say who it is has nothing but its name.
enum LockFileName {
  /// A name for a file of this process that nothing has.
  static func fresh(_ lock: String) -> String {
    let process = LockMachine.this.processes[0]
    let parts = [
      machine, String(process.number, radix: 16), String(process.started, radix: 16),
      String(UInt64.random(in: 0...(.max)), radix: 16),
    ]
    return "\(lock).\(parts.joined(separator: "-"))"
  }

  /// Whether a file was made by a process of this machine that has ended.
  static func isOfEnded(_ name: String, _ lock: String) -> Bool {
    let parts = name.dropFirst(lock.utf8.count + 1).split(separator: "-")
    guard parts.count == 4, parts[0] == machine, let number = Int32(parts[1], radix: 16),
      let started = Int(parts[2], radix: 16), number > 0
    else { return false }
    return LockProcess(number: number, started: started).hasEnded
  }

  /// This machine in eight digits.
  private static let machine: String = {
    let machine = LockMachine.this
    let text = Array("\(machine.host) \(machine.boot) \(machine.processSpace)".utf8)
    let checksum = text.withUnsafeBytes { om_crc32c(0, $0.baseAddress, $0.count) }
    return String(checksum, radix: 16)
  }()
}

import CSys
import Glibc
package import OMJSON

/// What a folder lets this process do, tried out in a folder of its own that is removed again.
package struct FolderProbe: Sendable, Equatable {
  /// Whether a file may be renamed over another one, which is how everything is replaced.
  package var replaces = false
  /// Whether two names may change places, or a name be taken only where it is free (renameat2).
  package var exchanges = false
  /// Whether a file that must be new is refused where one exists.
  package var isExclusive = false
  /// Whether a file may have two names.
  package var links = false
  /// Whether a lock (flock) keeps another descriptor out.
  package var locksWhole = false
  /// Whether a lock of a part of a file (fcntl) keeps another descriptor out.
  package var locksParts = false
  /// Whether `a` and `A` are two names.
  package var tellsCase = false
  /// Milliseconds that small files took to reach the disk, sorted; empty where that does not work.
  package var syncMilliseconds: [Double] = []

  /// How many files are waited for.
  private static let syncs = 5

  /// Tries a folder.
  ///
  /// - Parameter folder: An existing folder.
  /// - Throws: Why nothing can be written there.
  package init(_ folder: String) throws(Fault) {
    let parent = try OutputFolder(path: folder)
    let name = ".omtask-doctor-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    let room = try parent.makeFolder(name)
    defer { try? parent.removeTree(name) }
    do throws(Errno) {
      try self.init(trying: room.descriptor.number)
    } catch { throw parent.fault(error, name, "trying it out") }
  }

  /// The result of nothing.
  package init() {}

  private init(trying folder: Int32) throws(Errno) {
    for _ in 0..<Self.syncs {
      guard let time = try Self.timedSync(folder, "first") else { break }
      syncMilliseconds.append(time)
    }
    syncMilliseconds.sort()
    try Self.write(folder, "second", "2")
    replaces = renameat(folder, "first", folder, "second") == 0 && !Self.exists(folder, "first")
    isExclusive =
      openat(folder, "second", O_CREAT | O_EXCL | O_WRONLY, 0o600) < 0 && errno == EEXIST
    links = linkat(folder, "second", folder, "third", 0) == 0
    try Self.write(folder, "fourth", "4")
    exchanges =
      om_renameat2(folder, "second", folder, "fourth", UInt32(om_rename_exchange)) == 0
      && om_renameat2(folder, "second", folder, "fourth", UInt32(om_rename_noreplace)) != 0
    try Self.write(folder, "Case", "")
    tellsCase = !Self.exists(folder, "case")
    let one = try Descriptor(below: folder, "fourth", O_RDWR)
    let other = try Descriptor(below: folder, "fourth", O_RDWR)
    locksWhole =
      flock(one.number, LOCK_EX | LOCK_NB) == 0 && flock(other.number, LOCK_EX | LOCK_NB) != 0
      && errno == EWOULDBLOCK
    _ = flock(one.number, LOCK_UN)
    locksParts =
      om_lock_file(one.number) == 0 && om_lock_file(other.number) != 0
      && (errno == EAGAIN || errno == EACCES)
  }

  /// Writes a small file and waits until it is on the disk; nil where that cannot be waited for.
  private static func timedSync(_ folder: Int32, _ name: String) throws(Errno) -> Double? {
    let file = try Descriptor(below: folder, name, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
    let bytes = [UInt8](repeating: 1, count: 4096)
    let count = try system { Glibc.write(file.number, bytes, bytes.count) }
    if count != bytes.count { throw Errno(code: ENOSPC) }
    let start = monotonicSeconds()
    return fsync(file.number) == 0 ? 1000 * (monotonicSeconds() - start) : nil
  }

  private static func write(_ folder: Int32, _ name: String, _ text: String) throws(Errno) {
    let file = try Descriptor(below: folder, name, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    let bytes = Array(text.utf8)
    _ = try system { Glibc.write(file.number, bytes, bytes.count) }
  }

  private static func exists(_ folder: Int32, _ name: String) -> Bool {
    faccessat(folder, name, F_OK, 0) == 0
  }
}

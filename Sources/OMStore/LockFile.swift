import CSys
import Glibc
import OMJSON

/// Which file it is, whatever its name.
struct FileIdentity: Hashable, Sendable {
  let device: UInt
  let number: UInt

  init(_ status: stat) {
    device = UInt(status.st_dev)
    number = UInt(status.st_ino)
  }
}

/// The file with which this process takes a lock; open, so that its number is not used again.
final class OwnLockFile: Sendable {
  let descriptor: Descriptor
  let identity: FileIdentity
  /// When it was made, in nanoseconds of the file server's clock.
  let made: Int

  init(_ descriptor: consuming Descriptor) throws(Errno) {
    let status = try descriptor.status()
    identity = FileIdentity(status)
    made = ValueStamp(status).modified
    self.descriptor = descriptor
  }

  /// Shows that its owner lives; the time is that of the file server.
  func beat() throws(Errno) { _ = try system { futimens(descriptor.number, nil) } }

  /// The time of the file server, in nanoseconds.
  func serverTime() throws(Errno) -> Int {
    try beat()
    return ValueStamp(try descriptor.status()).modified
  }
}

/// A lock's file as it was found; open, so that its number is not used again meanwhile.
final class FoundLockFile: Sendable {
  private let descriptor: Descriptor
  let identity: FileIdentity
  /// When its owner last showed that it lives, in nanoseconds of the file server's clock.
  let modified: Int
  /// Who holds it; nil when the file does not tell, or not to us.
  let holder: LockHolder?

  init(_ descriptor: consuming Descriptor, _ status: stat, size: Int) {
    identity = FileIdentity(status)
    modified = ValueStamp(status).modified
    holder = descriptor.holder(size)
    self.descriptor = descriptor
  }

  /// What no other file of this lock had or will have, as long as this one is open.
  var token: String {
    String(identity.number, radix: 16) + "-" + String(modified, radix: 16)
  }

  /// What is known, at a time of the file server's clock.
  func state(at now: Int) -> LockState {
    let age = Double(now - modified) * 1e-9
    let isStale: Bool
    if let holder, holder.hasEnded {
      isStale = true
    } else if let holder, holder.isAlive {
      // It may have been stopped, but it will go on where it was.
      isStale = false
    } else {
      isStale = age >= LockState.patience
    }
    return LockState(holder: holder, age: age, isStale: isStale)
  }
}

/// What is known about a lock that somebody holds.
package struct LockState: Sendable {
  /// Seconds without a sign of life after which a lock counts as left: three heartbeats.
  static let patience = 3 * LockHeartbeat.interval

  /// Who holds it; nil when its file does not tell, or not to us.
  package let holder: LockHolder?
  /// Seconds since its holder last showed that it lives, by the file server's clock.
  package let age: Double
  /// Whether its holder has ended without giving it back.
  package let isStale: Bool
}

extension LockState: CustomStringConvertible {
  /// The holder, and when it was last seen.
  package var description: String {
    "\(holder?.description ?? "somebody unknown"), last seen \(Int(max(0, age))) s ago"
  }
}

extension OutputFolder {
  /// Makes a new file for taking a lock.
  func makeLockFile(_ name: String, _ holder: LockHolder) throws(Errno) -> OwnLockFile {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    let file = try Descriptor(below: descriptor.number, name, flags, mode: 0o640)
    try holder.json.bytes().withUnsafeBufferPointer { (bytes) throws(Errno) in
      try file.write([UnsafeRawBufferPointer(bytes)])
    }
    return try OwnLockFile(file)
  }

  /// Looks at a lock's file, or nil when nothing has this name.
  ///
  /// - Throws: Kind `path` for a link, `io` for anything else that is no file.
  func findLockFile(_ name: String) throws(Fault) -> FoundLockFile? {
    let file: Descriptor
    do {
      guard let found = try openLockFile(name) else { return nil }
      file = found
    } catch {
      try refuseLink(name)
      throw error.fault(path(of: name), "looking at the lock")
    }
    return try found(file, name)
  }

  private func openLockFile(_ name: String) throws(Errno) -> Descriptor? {
    let flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    do {
      return try Descriptor(below: descriptor.number, name, O_RDONLY | flags)
    } catch {
      if error.code == ENOENT { return nil }
      guard error.code == EACCES else { throw error }
    }
    // The lock of somebody else: its time tells enough.
    do {
      return try Descriptor(below: descriptor.number, name, Int32(om_open_path) | O_NOFOLLOW)
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }

  private func found(
    _ file: consuming Descriptor, _ name: String
  ) throws(Fault) -> FoundLockFile {
    let status: stat
    do { status = try file.status() } catch {
      throw error.fault(path(of: name), "looking at the lock")
    }
    if EntryKind(mode: status.st_mode) == .link { try refuseLink(name) }
    let size = try file.regularFileSize(path(of: name))
    return FoundLockFile(file, status, size: size)
  }

  /// Which file has a name, or nil when none has.
  func identity(of name: String) throws(Errno) -> FileIdentity? {
    var status = stat()
    do {
      _ = try system { fstatat(descriptor.number, name, &status, AT_SYMLINK_NOFOLLOW) }
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    return FileIdentity(status)
  }
}

extension Descriptor {
  /// The holder that a file names; nil when it names none or cannot be read.
  fileprivate borrowing func holder(_ size: Int) -> LockHolder? {
    guard size > 0, size <= 1 << 20 else { return nil }
    var bytes = [UInt8](repeating: 0, count: size)
    let number = number
    let count = bytes.withUnsafeMutableBytes { pread(number, $0.baseAddress, $0.count, 0) }
    return count == size ? LockHolder(bytes: bytes) : nil
  }
}

import Glibc

/// The lock of another program on a file that it keeps for locking (`flock`).
///
/// It holds between processes of one machine, and between machines where the file system passes it
/// on. It is given back with the last reference.
package final class AdvisoryLock: Sendable {
  private let file: Descriptor

  private init(_ file: consuming Descriptor) { self.file = file }

  /// Takes the lock of a file that exists.
  ///
  /// - Parameters:
  ///   - path: The file; it is neither made nor changed.
  ///   - patience: Seconds to wait.
  /// - Returns: The lock; nil when there is no such file, or it cannot be locked in that time.
  package static func acquire(_ path: String, patience: Double) -> AdvisoryLock? {
    // File servers lock for writing only what is open for writing.
    let flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    guard
      let file = (try? Descriptor(below: AT_FDCWD, path, O_RDWR | flags))
        ?? (try? Descriptor(below: AT_FDCWD, path, O_RDONLY | flags))
    else { return nil }
    let start = monotonicSeconds()
    while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
      guard [EWOULDBLOCK, EACCES, EINTR].contains(errno), monotonicSeconds() - start < patience
      else { return nil }
      usleep(UInt32.random(in: 10_000...50_000))
    }
    return AdvisoryLock(file)
  }
}

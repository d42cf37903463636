import CSys
import Glibc
import OMJSON

/// A file in memory that has no name, shared with a child; it is gone when the last of both ends.
final class MemoryFile {
  /// The open file.
  let descriptor: Int32

  /// Makes an empty file.
  init(_ name: String) throws(Fault) {
    descriptor = om_memory_file(name)
    if descriptor < 0 {
      throw Fault(.io, name, "no file can be made in memory: \(reason(errno))")
    }
  }

  deinit { close(descriptor) }

  /// Fills it with these bytes and no others.
  func fill(_ bytes: UnsafeRawPointer, count: Int) throws(Fault) {
    if currentSize() != count { try resize(count) }
    var done = 0
    while done < count {
      let written = pwrite(descriptor, bytes + done, count - done, done)
      if written <= 0 {
        if written < 0 && errno == EINTR { continue }
        throw Fault(.io, "shared memory", "\(reason(errno)) after \(done) of \(count) bytes")
      }
      done += written
    }
  }

  /// Makes it hold so many bytes; what they are is not defined.
  func makeRoom(count: Int) throws(Fault) {
    if currentSize() != count { try resize(count) }
  }

  /// How many bytes it holds, as the child left it.
  func currentSize() -> Int {
    var facts = stat()
    return fstat(descriptor, &facts) == 0 ? Int(facts.st_size) : -1
  }

  /// Reads all of it.
  ///
  /// - Throws: A fault of kind `io` when it holds fewer bytes.
  func read(into room: UnsafeMutableRawPointer, count: Int) throws(Fault) {
    var done = 0
    while done < count {
      let got = pread(descriptor, room + done, count - done, done)
      if got <= 0 {
        if got < 0 && errno == EINTR { continue }
        throw Fault(.io, "shared memory", "ends after \(done) of \(count) bytes")
      }
      done += got
    }
  }

  private func resize(_ count: Int) throws(Fault) {
    if ftruncate(descriptor, count) != 0 {
      throw Fault(.io, "shared memory", "cannot hold \(count) bytes: \(reason(errno))")
    }
  }
}

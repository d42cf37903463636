import CSys
import Glibc
import OMJSON

/// An open file or folder that is closed when it goes away.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32

  /// Takes over an open descriptor.
  init(_ number: Int32) { self.number = number }

  deinit { _ = Glibc.close(number) }

  /// Opens a name below a folder, never inherited by children.
  ///
  /// - Throws: Why the kernel did not.
  init(
    below folder: Int32, _ name: String, _ flags: Int32, mode: mode_t = 0
  ) throws(Errno) {
    number = try system { openat(folder, name, flags | O_CLOEXEC, mode) }
  }

  /// Opens what is below a folder in one call, however many folders lie between.
  ///
  /// - Throws: Why the kernel did not; `ENOSYS` when it is too old for this call.
  init(beneath folder: Int32, _ path: String, _ flags: Int32, links: Int) throws(Errno) {
    number = try system { om_open_beneath(folder, path, flags, Int32(links)) }
  }

  /// Closes it and says so when bytes were lost on the way to the disk.
  consuming func close() throws(Errno) {
    let number = number
    discard self
    // After EINTR Linux has closed the file all the same; closing again could hit another file.
    if Glibc.close(number) != 0, errno != EINTR { throw Errno(code: errno) }
  }

  /// Gives the open descriptor away; the taker closes it.
  consuming func release() -> Int32 {
    let number = number
    discard self
    return number
  }

  /// What the kernel knows about the file.
  func status() throws(Errno) -> stat {
    var result = stat()
    _ = try system { fstat(number, &result) }
    return result
  }

  /// Size of the file, which must be a regular one.
  ///
  /// - Parameters:
  ///   - subject: Its name for messages.
  ///   - misplaced: The kind of the fault of a folder or a pipe.
  /// - Returns: Its bytes.
  /// - Throws: A fault of kind `io` for sockets and devices.
  func regularFileSize(
    _ subject: String, misplaced: FaultKind = .io
  ) throws(Fault) -> Int {
    let status: stat
    do { status = try self.status() } catch { throw error.fault(subject, "looking at it") }
    let kind = EntryKind(mode: status.st_mode)
    if kind != .file {
      throw Fault(
        [.folder, .pipe].contains(kind) ? misplaced : .io, subject,
        "is \(kind.rawValue), expected a file",
        hint: "only regular files are read; remove it or restore the file")
    }
    return Int(status.st_size)
  }

  /// Fills a buffer from a place in the file, however many calls that takes.
  ///
  /// - Returns: The bytes read; fewer than asked for only at the end of the file.
  func read(at start: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
    var count = 0
    while count < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
      let step = try system { pread(number, rest.baseAddress, rest.count, off_t(start + count)) }
      if step == 0 { break }
      count += step
    }
    return count
  }

  /// Writes buffers one after the other, however many calls that takes.
  func write(_ buffers: [UnsafeRawBufferPointer]) throws(Errno) {
    var rest = buffers.filter { !$0.isEmpty }[...]
    while !rest.isEmpty {
      let vectors = rest.prefix(1024).map {
        iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
      }
      let step = try system { writev(number, vectors, Int32(vectors.count)) }
      // A disk that takes nothing and names no reason would otherwise keep us here for ever.
      if step == 0 { throw Errno(code: EIO) }
      rest = rest.afterFirstBytes(step)
    }
  }

  /// Waits until the file or folder is on the disk.
  func sync() throws(Errno) {
    _ = try system { fsync(number) }
  }
}

extension ArraySlice<UnsafeRawBufferPointer> {
  /// What is left of buffers in a row when the first `count` bytes are done.
  func afterFirstBytes(_ count: Int) -> Self {
    var rest = self
    var count = count
    while let first = rest.first, count >= first.count {
      count -= first.count
      rest.removeFirst()
    }
    guard count > 0, let first = rest.popFirst() else { return rest }
    return [UnsafeRawBufferPointer(rebasing: first[count...])] + rest
  }
}

import CSys
package import OMJSON

/// A value that is open for reading; it is closed when the last reference goes.
///
/// Reads may come from several threads at once.
package final class OpenedValue: Sendable {
  /// Bytes, as they were when the value was opened.
  package let size: Int
  /// Whether reading it decodes something, so that a fault may mean damage.
  package let isMade: Bool
  private let key: String
  private let source: Source

  private enum Source: ~Copyable, Sendable {
    case file(Descriptor)
    case memory([UInt8])
    case entry(ZipValue)
    case remote(RemoteValue)
    case made(any ValueMaker)
  }

  /// A value that is made when it is read, such as a chunk of a file of another format.
  package init(key: String, size: Int, maker: any ValueMaker) {
    self.key = key
    self.size = size
    isMade = true
    source = .made(maker)
  }

  /// A value on a server.
  init(key: String, remote: RemoteValue) {
    self.key = key
    size = remote.size
    isMade = false
    source = .remote(remote)
  }

  /// An entry of an archive.
  init(key: String, entry: ZipValue) {
    self.key = key
    size = entry.size
    isMade = false
    source = .entry(entry)
  }

  /// A value in memory.
  package init(key: String, bytes: [UInt8]) {
    self.key = key
    size = bytes.count
    isMade = false
    source = .memory(bytes)
  }

  /// A regular file.
  ///
  /// - Throws: A fault of kind `misplaced` for a folder or a pipe, of kind `io` for anything else.
  init(key: String, file: consuming Descriptor, misplaced: FaultKind = .io) throws(Fault) {
    self.key = key
    size = try file.regularFileSize(key, misplaced: misplaced)
    isMade = false
    source = .file(file)
  }

  /// Fills a buffer with the bytes that begin at `start`.
  ///
  /// - Parameters:
  ///   - start: The first byte, from 0.
  ///   - buffer: Where to put them; all of it is filled.
  ///   - isAlone: Whether reads do not follow each other, so that a server need not send more ahead.
  /// - Throws: Kind `truncated` when the value ends before that, `io` when the disk cannot read.
  package func read(
    at start: Int, into buffer: UnsafeMutableRawBufferPointer, isAlone: Bool = false
  ) throws(Fault) {
    guard start >= 0, start <= size, buffer.count <= size - start else {
      throw tooShort(start, buffer.count, size)
    }
    switch source {
    case .memory(let bytes):
      let range = start..<start + buffer.count
      bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[range])) }
    case .entry(let entry): try entry.read(at: start, into: buffer)
    case .remote(let value): try value.read(at: start, into: buffer, isAlone: isAlone)
    case .made(let maker):
      if buffer.count == size { return try maker.make(into: buffer) }
      let whole = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, size), alignment: 64)
      defer { whole.deallocate() }
      try maker.make(into: UnsafeMutableRawBufferPointer(rebasing: whole[..<size]))
      buffer.copyMemory(from: .init(rebasing: whole[start..<start + buffer.count]))
    case .file(let file):
      let count: Int
      do { count = try file.read(at: start, into: buffer) } catch {
        throw error.fault(key, "reading \(buffer.count) bytes at \(start)")
      }
      // The file has become shorter since it was opened.
      if count < buffer.count { throw tooShort(start, buffer.count, start + count) }
    }
  }

  /// All bytes, where a server has sent them already; nil elsewhere.
  package var sent: [UInt8]? {
    switch source {
    case .remote(let value): value.whole
    default: nil
    }
  }

  /// All bytes; more than `limit` are refused before they are read.
  func readAll(limit: Int) throws(Fault) -> [UInt8] {
    if size > limit { throw Self.tooLong(key, size, limit: limit) }
    return try bytes(at: 0, count: size)
  }

  /// The fault of a value with more bytes than make sense.
  static func tooLong(_ key: String, _ size: Int, limit: Int) -> Fault {
    Fault(
      .limit, key, "has \(size) bytes, the limit is \(limit)",
      hint: limit == Limits.current.metadata ? Limits.hint(.metadata) : nil)
  }

  /// Some bytes.
  ///
  /// - Throws: Kind `truncated` when the value ends before that, `io` when the disk cannot read.
  package func bytes(at start: Int, count wanted: Int) throws(Fault) -> [UInt8] {
    guard start >= 0, wanted >= 0, start <= size, wanted <= size - start else {
      throw tooShort(start, wanted, size)
    }
    var fault: Fault?
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
      do throws(Fault) {
        try read(at: start, into: UnsafeMutableRawBufferPointer(buffer.extracting(..<wanted)))
        count = wanted
      } catch {
        fault = error
      }
    }
    if let fault { throw fault }
    return bytes
  }

  /// CRC-32C of all bytes; nil when they cannot be read.
  package func checksum() -> UInt32? {
    let piece = 1 << 20
    let room = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, min(piece, size)), alignment: 64)
    defer { room.deallocate() }
    var checksum: UInt32 = 0
    var start = 0
    while start < size {
      let part = UnsafeMutableRawBufferPointer(rebasing: room[..<min(piece, size - start)])
      guard (try? read(at: start, into: part)) != nil else { return nil }
      checksum = om_crc32c(checksum, part.baseAddress, part.count)
      start += part.count
    }
    return checksum
  }

  private func tooShort(_ start: Int, _ count: Int, _ size: Int) -> Fault {
    Fault(
      .truncated, key, "has \(size) bytes, expected \(count) bytes at \(start)")
  }
}

/// Makes the bytes of a value.
package protocol ValueMaker: Sendable {
  /// Fills a buffer of the size of the value; always with the same bytes.
  func make(into buffer: UnsafeMutableRawBufferPointer) throws(Fault)
}

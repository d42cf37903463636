import CZlib
import OMJSON
import Synchronization

/// The value of one entry, read in place.
///
/// Stored entries are read by range; their CRC-32 is checked when all of them is read at once. Deflated ones
/// are inflated whole when the first byte is asked for, and kept as long as somebody reads them.
final class ZipValue: Sendable {
  private let archive: OpenedValue
  private let entry: ZipEntry
  private let key: String
  /// Where its bytes begin in the archive.
  private let start: Int
  private let inflated = Mutex<[UInt8]?>(nil)

  /// Finds the bytes of an entry through its local header.
  ///
  /// - Parameters:
  ///   - archive: The whole archive.
  ///   - entry: What the directory says.
  ///   - name: Its name there.
  ///   - limit: Where the directory begins.
  /// - Throws: `zip` when local header and directory contradict each other.
  init(
    _ archive: OpenedValue, _ entry: ZipEntry, name: ArraySlice<UInt8>, limit: Int
  ) throws(Fault) {
    self.archive = archive
    self.entry = entry
    key = String(decoding: name, as: UTF8.self)
    let header = try ZipLocal(archive, entry, name: name, limit: limit)
    start = header.dataStart
  }

  /// Bytes of the value.
  var size: Int { entry.size }

  /// Fills a buffer with bytes that lie within the value.
  func read(at place: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Fault) {
    switch entry.method {
    case .stored:
      do { try archive.read(at: start + place, into: buffer) } catch { throw named(error) }
      if buffer.count == entry.size { try check(zipChecksum(0, .init(buffer))) }
    case .deflated:
      if buffer.count == entry.size { return try inflate(into: buffer) }
      let bytes = try whole()
      bytes.withUnsafeBytes {
        buffer.copyMemory(from: .init(rebasing: $0[place..<place + buffer.count]))
      }
    }
  }

  /// Hands all bytes to a body piece by piece, and checks their CRC-32.
  func forEachPiece(
    _ body: (UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(Fault) {
    var checksum: UInt32 = 0
    func take(_ piece: UnsafeRawBufferPointer) throws(Fault) {
      checksum = zipChecksum(checksum, piece)
      try body(piece)
    }
    switch entry.method {
    case .deflated: try ZipInflation(archive, start, entry, key).run(take)
    case .stored:
      let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(1, min(1 << 20, entry.size)), alignment: 64)
      defer { room.deallocate() }
      var done = 0
      while done < entry.size {
        let piece = UnsafeMutableRawBufferPointer(
          rebasing: room[..<min(room.count, entry.size - done)])
        do { try archive.read(at: start + done, into: piece) } catch { throw named(error) }
        try take(UnsafeRawBufferPointer(piece))
        done += piece.count
      }
    }
    try check(checksum)
  }

  /// All bytes of a deflated value.
  private func whole() throws(Fault) -> [UInt8] {
    if let known = inflated.withLock({ $0 }) { return known }
    let most = Limits.current.deflatedEntry
    if entry.size > most {
      throw Fault(
        .limit, key,
        "is deflated, so that all of its \(entry.size) bytes are read for a part of them; the limit is "
          + "\(most)",
        hint: "`omtask unpack` and `pack` store it as it should be; "
          + Limits.hint(.deflatedEntry))
    }
    var fault: Fault?
    let bytes = [UInt8](unsafeUninitializedCapacity: entry.size) { buffer, count in
      do throws(Fault) {
        try inflate(into: UnsafeMutableRawBufferPointer(buffer.extracting(..<entry.size)))
        count = entry.size
      } catch { fault = error }
    }
    if let fault { throw fault }
    inflated.withLock { $0 = bytes }
    return bytes
  }

  /// Inflates all bytes into a buffer of their size.
  private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(Fault) {
    var done = 0
    try ZipInflation(archive, start, entry, key).run { (piece) throws(Fault) in
      UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + piece.count])
        .copyMemory(from: piece)
      done += piece.count
    }
    try check(zipChecksum(0, UnsafeRawBufferPointer(buffer)))
  }

  private func check(_ checksum: UInt32) throws(Fault) {
    if checksum == entry.crc { return }
    throw Fault(
      .checksum, key,
      "the CRC-32 of its \(entry.size) bytes is \(hexadecimal(checksum)), the archive says "
        + hexadecimal(entry.crc), hint: "copy the archive again, it is damaged")
  }

  /// A fault of reading the archive, as one of this key.
  private func named(_ fault: Fault) -> Fault {
    var fault = fault
    fault.subject = key
    return fault
  }
}

/// CRC-32 of bytes behind others whose checksum is known.
func zipChecksum(_ before: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
  UInt32(
    truncatingIfNeeded: crc32_z(
      UInt(before), bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
}

private func hexadecimal(_ number: UInt32) -> String {
  let digits = String(number, radix: 16)
  return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}

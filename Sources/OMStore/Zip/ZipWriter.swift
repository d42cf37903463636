package import OMJSON
import Synchronization

/// Writes an archive as RFC-9 wants it: stored entries, all numbers in the ZIP64 form, metadata first.
///
/// All sizes are known before the first byte is written, so every entry has its place and any thread may
/// write any of them. The same values give the same bytes: times are those of 1980, when zip begins, and
/// owners and modes are not kept.
package final class ZipWriter: Sendable {
  /// An entry to be written.
  package struct Entry: Sendable, Equatable {
    /// Its key; the file in the archive.
    package let key: String
    /// Bytes.
    package let size: Int

    /// Makes an entry.
    package init(key: String, size: Int) {
      self.key = key
      self.size = size
    }
  }

  /// The entries in the order in which they are written.
  package let entries: [Entry]
  /// Bytes of the whole archive.
  package let byteCount: Int
  private let file: PlacedFile
  private let headers: [Int]
  private let directoryStart: Int
  private let comment: [UInt8]
  private let checksums: Mutex<[UInt32?]>

  /// Sizes and place in 64 bits, and what is in front of them.
  private static let wideCount = 4 + 3 * 8
  private static let wideLocalCount = 4 + 2 * 8
  /// Reading and writing entries of 64-bit numbers takes zip 4.5.
  private static let needed = 45
  /// 1 January 1980.
  private static let date = 1 << 5 | 1

  /// Lays out an archive.
  ///
  /// - Parameters:
  ///   - entries: What goes into it, with keys that are checked.
  ///   - version: The version of OME-Zarr.
  ///   - file: Where it goes.
  package init(_ entries: [Entry], version: String, to file: PlacedFile) {
    self.entries = entries
    self.file = file
    comment = ZipComment.bytes(version: version)
    var place = 0
    var directory = 0
    headers = entries.map { entry in
      defer {
        let name = entry.key.utf8.count
        place += ZipFormat.Local.byteCount + name + Self.wideLocalCount + entry.size
        directory += ZipFormat.Central.byteCount + name + Self.wideCount
      }
      return place
    }
    directoryStart = place
    byteCount =
      place + directory + ZipFormat.End64.byteCount + ZipFormat.Locator.byteCount
      + ZipFormat.End.byteCount + comment.count
    checksums = Mutex(entries.map { _ in nil })
  }

  /// Writes an entry.
  ///
  /// - Parameters:
  ///   - number: Which one.
  ///   - value: Its bytes.
  /// - Throws: A fault of kind `locked` when the value has another size than when the archive was laid
  ///   out, and what reading and writing throw.
  package func write(_ number: Int, _ value: OpenedValue) throws(Fault) {
    let entry = entries[number]
    if value.size != entry.size {
      throw Fault(
        .locked, entry.key, "has \(value.size) bytes, it had \(entry.size) when packing began",
        hint: "run the command again when nothing else writes there")
    }
    let dataStart =
      headers[number] + ZipFormat.Local.byteCount + entry.key.utf8.count + Self.wideLocalCount
    let room = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, min(1 << 20, entry.size)), alignment: 64)
    defer { room.deallocate() }
    var (done, checksum) = (0, UInt32(0))
    while done < entry.size {
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: room[..<min(room.count, entry.size - done)])
      try value.read(at: done, into: piece)
      checksum = zipChecksum(checksum, UnsafeRawBufferPointer(piece))
      try file.write(UnsafeRawBufferPointer(piece), at: dataStart + done)
      done += piece.count
    }
    try write(local(entry, checksum), at: headers[number])
    checksums.withLock { $0[number] = checksum }
  }

  /// Writes the directory, when all entries are written.
  package func finish() throws(Fault) {
    let checksums = self.checksums.withLock { $0 }
    var bytes: [UInt8] = []
    for (number, entry) in entries.enumerated() {
      guard let checksum = checksums[number] else {
        throw Fault(.internal, entry.key, "was not written into the archive")
      }
      bytes += central(entry, checksum, at: headers[number])
    }
    try write(bytes + end(directoryByteCount: bytes.count), at: directoryStart)
  }

  private func write(_ bytes: [UInt8], at place: Int) throws(Fault) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(Fault) in
      try file.write(UnsafeRawBufferPointer(buffer), at: place)
    }
  }

  private func local(_ entry: Entry, _ checksum: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(zip: ZipFormat.Local.signature, bytes: 4)
    appendCommon(entry, checksum, extra: Self.wideLocalCount, to: &bytes)
    bytes += Array(entry.key.utf8)
    appendWide([entry.size, entry.size], to: &bytes)
    return bytes
  }

  private func central(_ entry: Entry, _ checksum: UInt32, at place: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(zip: ZipFormat.Central.signature, bytes: 4)
    // Made by Unix, so that the mode below counts.
    bytes.append(zip: 3 << 8 | Self.needed, bytes: 2)
    appendCommon(entry, checksum, extra: Self.wideCount, to: &bytes)
    // No comment, disk 0, no internal attributes; a file that all may read.
    bytes.append(zip: 0, bytes: 6)
    bytes.append(zip: 0o100644 << 16, bytes: 4)
    bytes.append(zip: ZipFormat.wide32, bytes: 4)
    bytes += Array(entry.key.utf8)
    appendWide([entry.size, entry.size, place], to: &bytes)
    return bytes
  }

  /// What local header and directory have in common, from the version needed to the lengths.
  private func appendCommon(
    _ entry: Entry, _ checksum: UInt32, extra: Int, to bytes: inout [UInt8]
  ) {
    let isASCII = entry.key.utf8.allSatisfy { $0 < 0x80 }
    bytes.append(zip: Self.needed, bytes: 2)
    bytes.append(zip: isASCII ? 0 : ZipFormat.utf8Flag, bytes: 2)
    bytes.append(zip: Int(ZipEntry.Method.stored.rawValue), bytes: 2)
    bytes.append(zip: 0, bytes: 2)
    bytes.append(zip: Self.date, bytes: 2)
    bytes.append(zip: Int(checksum), bytes: 4)
    bytes.append(zip: ZipFormat.wide32, bytes: 4)
    bytes.append(zip: ZipFormat.wide32, bytes: 4)
    bytes.append(zip: entry.key.utf8.count, bytes: 2)
    bytes.append(zip: extra, bytes: 2)
  }

  private func appendWide(_ numbers: [Int], to bytes: inout [UInt8]) {
    bytes.append(zip: ZipFormat.zip64, bytes: 2)
    bytes.append(zip: 8 * numbers.count, bytes: 2)
    for number in numbers { bytes.append(zip: number, bytes: 8) }
  }

  private func end(directoryByteCount: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(zip: ZipFormat.End64.signature, bytes: 4)
    bytes.append(zip: ZipFormat.End64.byteCount - 12, bytes: 8)
    bytes.append(zip: 3 << 8 | Self.needed, bytes: 2)
    bytes.append(zip: Self.needed, bytes: 2)
    bytes.append(zip: 0, bytes: 8)
    for number in [entries.count, entries.count, directoryByteCount, directoryStart] {
      bytes.append(zip: number, bytes: 8)
    }
    bytes.append(zip: ZipFormat.Locator.signature, bytes: 4)
    bytes.append(zip: 0, bytes: 4)
    bytes.append(zip: directoryStart + directoryByteCount, bytes: 8)
    bytes.append(zip: 1, bytes: 4)
    bytes.append(zip: ZipFormat.End.signature, bytes: 4)
    bytes.append(zip: 0, bytes: 4)
    bytes.append(zip: min(entries.count, ZipFormat.wide16), bytes: 2)
    bytes.append(zip: min(entries.count, ZipFormat.wide16), bytes: 2)
    bytes.append(zip: min(directoryByteCount, ZipFormat.wide32), bytes: 4)
    bytes.append(zip: min(directoryStart, ZipFormat.wide32), bytes: 4)
    bytes.append(zip: comment.count, bytes: 2)
    return bytes + comment
  }
}

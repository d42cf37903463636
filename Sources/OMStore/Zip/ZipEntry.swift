import OMJSON

/// One entry of an archive, as the central directory tells.
struct ZipEntry: Sendable {
  /// How its bytes are stored.
  enum Method: UInt8, Sendable {
    case stored = 0
    case deflated = 8
  }

  /// Where its name is among those of all entries.
  let nameStart: Int
  /// The bytes of its name.
  let nameCount: Int
  /// Where its local header begins.
  let header: Int
  /// Bytes in the archive.
  let stored: Int
  /// Bytes of the value.
  let size: Int
  /// CRC-32 of the value.
  let crc: UInt32
  /// How its bytes are stored.
  let method: Method

  /// Where the names of all entries hold its own.
  var nameRange: Range<Int> { nameStart..<nameStart + nameCount }
}

/// A record of the central directory, taken apart and checked by itself.
struct ZipRecord {
  /// The longest name that is taken, in bytes.
  static let longestName = 4096
  /// Deflate cannot shrink more: 258 bytes in two bits.
  static let largestRatio = 1032

  private(set) var name: ArraySlice<UInt8>
  private(set) var header: Int
  private(set) var stored: Int
  private(set) var size: Int
  let crc: UInt32
  let method: ZipEntry.Method
  /// Whether it is a folder.
  let isFolder: Bool
  /// Extra fields that RFC-9 does not know.
  private(set) var foreignExtras = 0

  /// Reads a record that lies whole in a window on the directory.
  ///
  /// - Parameters:
  ///   - bytes: The window.
  ///   - start: Where the record begins in it.
  ///   - subject: The archive.
  /// - Throws: `zip`, `path`, `unsupported` or `limit`, naming the entry.
  init(_ bytes: [UInt8], at start: Int, subject: String) throws(Fault) {
    let nameStart = start + ZipFormat.Central.byteCount
    let nameEnd = nameStart + bytes.zip16(start + 28)
    name = bytes[nameStart..<nameEnd]
    isFolder = name.last == UInt8(ascii: "/")
    crc = UInt32(truncatingIfNeeded: bytes.zip32(start + 16))
    stored = bytes.zip32(start + 20)
    size = bytes.zip32(start + 24)
    header = bytes.zip32(start + 42)
    try ZipRecord.check(name, subject)
    guard let known = UInt8(exactly: bytes.zip16(start + 10)).flatMap(ZipEntry.Method.init) else {
      throw Fault(
        .unsupported, ZipRecord.place(name, subject),
        "is compressed by method \(bytes.zip16(start + 10)), stored (0) and deflated (8) are read",
        hint: "write the archive again with stored entries, as in `zip -0 -r image.ozx .`")
    }
    method = known
    if bytes.zip16(start + 8) & ZipFormat.encryptionFlags != 0 {
      throw fault(
        .unsupported, subject, "is encrypted", hint: "write the archive again without a password")
    }
    let isUnix = bytes[start + 5] == 3
    if isUnix && bytes.zip16(start + 40) & 0xF000 == 0xA000 {
      throw fault(
        .unsupported, subject, "is a symbolic link, links in archives are not followed",
        hint: "pack the files themselves")
    }
    let extras = nameEnd..<nameEnd + bytes.zip16(start + 30)
    try take(extras, of: bytes, disk: bytes.zip16(start + 34), subject)
    try checkSizes(subject)
  }

  /// Takes into account that the archive lies behind other bytes.
  mutating func move(by shift: Int, _ subject: String) throws(Fault) {
    let (place, overflow) = header.addingReportingOverflow(shift)
    if overflow { throw fault(.zip, subject, "is said to begin at \(header), beyond any file") }
    header = place
  }

  /// Checks a name.
  private static func check(_ name: ArraySlice<UInt8>, _ subject: String) throws(Fault) {
    if name.count > longestName {
      throw Fault(
        .limit, subject, "an entry has a name of \(name.count) bytes, the limit is \(longestName)")
    }
    let isFolder = name.last == UInt8(ascii: "/")
    if let problem = keyProblem(isFolder ? name.dropLast() : name) {
      throw Fault(
        .path, subject, "the entry `\(printed(name))` \(problem)",
        hint: "entries must lead down from the root of the archive, as in `0/zarr.json`")
    }
    if name.contains(where: { $0 >= 0x80 }), String(validating: name, as: UTF8.self) == nil {
      throw Fault(
        .zip, subject, "the name `\(printed(name))` is not UTF-8",
        hint: "write the archive again with names in UTF-8")
    }
    if !isFolder, name.suffix(4).elementsEqual(".ozx".utf8, by: { $0 | 0x20 == $1 | 0x20 }) {
      throw Fault(
        .zip, subject, "holds another archive, `\(printed(name))`; RFC-9 allows one hierarchy only",
        hint: "unzip it, and pack each image by itself")
    }
  }

  /// Takes numbers that are too large for the record from its extra fields.
  private mutating func take(
    _ extras: Range<Int>, of bytes: [UInt8], disk: Int, _ subject: String
  ) throws(Fault) {
    var wide: Range<Int>?
    var here = extras.lowerBound
    // Some writers pad with a few zeros.
    while here + 4 <= extras.upperBound {
      let (kind, count) = (bytes.zip16(here), bytes.zip16(here + 2))
      let field = here + 4..<here + 4 + count
      guard field.upperBound <= extras.upperBound else {
        throw fault(
          .zip, subject,
          "an extra field has \(count) bytes, \(extras.upperBound - here - 4) are left for it")
      }
      if kind == ZipFormat.zip64, wide == nil { wide = field }
      if !ZipFormat.knownExtras.contains(kind) { foreignExtras += 1 }
      here = field.upperBound
    }
    var rest = wide ?? 0..<0
    size = try widened(size, bytes, &rest, "size", subject)
    stored = try widened(stored, bytes, &rest, "compressed size", subject)
    header = try widened(header, bytes, &rest, "place", subject)
    let number = disk == ZipFormat.wide16 && rest.count >= 4 ? bytes.zip32(rest.lowerBound) : disk
    if number != 0 {
      throw fault(
        .unsupported, subject, "lies in part \(number) of an archive of several files",
        hint: "join the parts, for example with `zip -s 0 parts.zip --out whole.zip`")
    }
  }

  /// A number of the record, or the next one of its ZIP64 field where it says so.
  private func widened(
    _ value: Int, _ bytes: [UInt8], _ rest: inout Range<Int>, _ what: String, _ subject: String
  ) throws(Fault) -> Int {
    if value != ZipFormat.wide32 { return value }
    guard rest.count >= 8, let number = bytes.zip64(rest.lowerBound) else {
      throw fault(.zip, subject, "its \(what) is said to be in a ZIP64 field, which is not there")
    }
    rest = rest.lowerBound + 8..<rest.upperBound
    return number
  }

  private func checkSizes(_ subject: String) throws(Fault) {
    switch method {
    case .stored:
      if stored != size {
        throw fault(.zip, subject, "is stored with \(stored) bytes, its size is \(size)")
      }
    case .deflated:
      let (most, overflow) = stored.multipliedReportingOverflow(by: ZipRecord.largestRatio)
      if !overflow && size > most {
        throw fault(
          .zip, subject, "\(stored) deflated bytes are said to hold \(size), the most is \(most)")
      }
    }
  }

  /// A fault about this entry.
  private func fault(
    _ kind: FaultKind, _ subject: String, _ message: String, hint: String? = nil
  ) -> Fault {
    Fault(kind, ZipRecord.place(name, subject), message, hint: hint)
  }

  /// The entry as messages name it.
  static func place(_ name: ArraySlice<UInt8>, _ subject: String) -> String {
    "\(subject)/\(printed(name))"
  }

  /// A name with control characters in a form that can be printed, and not too long.
  static func printed(_ name: ArraySlice<UInt8>) -> String {
    let text = String(decoding: name, as: UTF8.self)
    return escaped(text.count > 100 ? text.prefix(97) + "..." : text[...])
  }
}

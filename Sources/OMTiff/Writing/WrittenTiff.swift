package import OMGrid
package import OMJSON

/// The form of a TIFF that is written: pages of one channel, all alike, little-endian.
package struct WrittenTiff: Sendable {
  /// How parts are compressed.
  package enum Compression: String, Sendable, CaseIterable {
    case none, deflate, zstd

    fileprivate var code: Int {
      switch self {
      case .none: 1
      case .deflate: 8
      case .zstd: 50000
      }
    }
  }

  /// Rows and columns of a page.
  package let page: (height: Int, width: Int)
  /// How many pages there are.
  package let pageCount: Int
  /// The type of the numbers.
  package let dataType: DataType
  /// How parts are compressed.
  package let compression: Compression
  /// Rows and columns of a tile, or of a strip, which is as wide as the page.
  package let part: (height: Int, width: Int)
  /// Whether parts are tiles.
  package let isTiled: Bool
  /// Whether offsets have eight bytes.
  package let isBig: Bool

  /// Pages with more pixels are cut into tiles.
  private static let mostInStrips = 1 << 22
  private static let tile = 512
  private static let stripBytes = 1 << 20
  /// Files of more bytes have offsets of eight.
  private static let classicBytes = (4 << 30) - (64 << 20)

  /// Chooses how pages are stored.
  ///
  /// - Parameters:
  ///   - page: Rows and columns.
  ///   - pageCount: How many pages.
  ///   - dataType: The type of the numbers.
  ///   - compression: How parts are compressed.
  ///   - rows: The rows that are at hand at once, which strips have where that makes sense.
  /// - Throws: `limit` for a page that no TIFF can hold, or more parts than can be listed.
  package init(
    page: (height: Int, width: Int), pageCount: Int, dataType: DataType, compression: Compression,
    rows: Int
  ) throws(Fault) {
    self.page = page
    self.pageCount = pageCount
    self.dataType = dataType
    self.compression = compression
    isTiled = page.height * page.width > Self.mostInStrips
    if isTiled {
      part = (Self.tile, Self.tile)
    } else {
      let rowBytes = page.width * dataType.byteCount
      let most = max(1, Self.stripBytes / max(1, rowBytes))
      part = (min(page.height, rows <= 4 * most ? rows : most), page.width)
    }
    let parts = ((page.height - 1) / part.height + 1) * ((page.width - 1) / part.width + 1)
    if page.height > Int(Int32.max) || page.width > Int(Int32.max)
      || product(of: [parts, pageCount], atMost: 1 << 28) == nil
    {
      throw Fault(
        .limit, "", "\(pageCount) pages of \(page.width) × \(page.height) are too many for a TIFF",
        hint: "export a part of it with `--select`, or a coarser `--level`")
    }
    // Tiles are whole at the edge, too; compression may add a little; directories list all parts.
    let partBytes = part.height * part.width * dataType.byteCount
    let pageBytes = parts * (partBytes + partBytes / 256 + 80) + 512
    isBig = product(of: [pageBytes, pageCount], atMost: Self.classicBytes) == nil
  }

  /// Parts along the rows and the columns of a page.
  package var grid: (rows: Int, columns: Int) {
    ((page.height - 1) / part.height + 1, (page.width - 1) / part.width + 1)
  }

  /// Bytes in front of the first part.
  package var headerBytes: Int { 16 }

  /// The rows of the parts of a row of parts: the last strip is shorter, the last tile is not.
  package func rows(_ row: Int) -> Int {
    isTiled ? part.height : min(part.height, page.height - row * part.height)
  }
}

extension WrittenTiff {
  /// The first bytes of the file, which say where the first directory lies.
  package func header(firstDirectory: Int) -> [UInt8] {
    var bytes = LittleEndian()
    bytes.add(Array("II".utf8))
    if isBig {
      bytes.add(43, 2)
      bytes.add(8, 2)
      bytes.add(0, 2)
      bytes.add(firstDirectory, 8)
    } else {
      bytes.add(42, 2)
      bytes.add(firstDirectory, 4)
      // Nothing lies here: the first part begins behind 16 bytes in both forms.
      bytes.add(0, 8)
    }
    return bytes.bytes
  }

  /// The directory of a page with the lists that do not fit into it.
  ///
  /// - Parameters:
  ///   - place: Where these bytes will lie, an even number.
  ///   - offsets: Where the parts of the page lie.
  ///   - counts: Their bytes.
  ///   - description: What the page says of all; nil for all pages but the first.
  ///   - isLast: Whether no page follows; else the next begins right behind.
  /// - Returns: Bytes, an even number of them, that begin with the directory.
  package func directory(
    at place: Int, offsets: [Int], counts: [Int], description: [UInt8]?, isLast: Bool
  ) -> [UInt8] {
    var entries: [Entry] = [
      Entry(256, .long, [page.width]), Entry(257, .long, [page.height]),
      Entry(258, .short, [8 * dataType.byteCount]), Entry(259, .short, [compression.code]),
      Entry(262, .short, [1]), Entry(277, .short, [1]),
      Entry(339, .short, [dataType.isFloat ? 3 : dataType.isSigned ? 2 : 1]),
      Entry(305, text: Array("omtask".utf8)),
    ]
    if let description { entries.append(Entry(270, text: description)) }
    let place8: Entry.Kind = isBig ? .long8 : .long
    if isTiled {
      entries += [
        Entry(322, .short, [part.width]), Entry(323, .short, [part.height]),
        Entry(324, place8, offsets), Entry(325, place8, counts),
      ]
    } else {
      entries += [
        Entry(273, place8, offsets), Entry(278, .long, [part.height]), Entry(279, place8, counts),
      ]
    }
    entries.sort { $0.tag < $1.tag }
    let (countBytes, entryBytes, offsetBytes) = isBig ? (8, 20, 8) : (2, 12, 4)
    let tableBytes = countBytes + entries.count * entryBytes + offsetBytes
    var table = LittleEndian()
    var lists = LittleEndian()
    let listStart = tableBytes + tableBytes % 2
    table.add(entries.count, countBytes)
    for entry in entries {
      table.add(entry.tag, 2)
      table.add(entry.kind.rawValue, 2)
      table.add(entry.count, offsetBytes)
      if entry.bytes.count <= offsetBytes {
        table.add(entry.bytes + [UInt8](repeating: 0, count: offsetBytes - entry.bytes.count))
      } else {
        table.add(place + listStart + lists.bytes.count, offsetBytes)
        lists.add(entry.bytes)
        if !lists.bytes.count.isMultiple(of: 2) { lists.add(0, 1) }
      }
    }
    let end = place + listStart + lists.bytes.count
    table.add(isLast ? 0 : end, offsetBytes)
    if !tableBytes.isMultiple(of: 2) { table.add(0, 1) }
    return table.bytes + lists.bytes
  }
}

/// One entry of a directory.
private struct Entry {
  enum Kind: Int {
    case text = 2
    case short = 3
    case long = 4
    case long8 = 16
  }
  let tag: Int
  let kind: Kind
  let count: Int
  let bytes: [UInt8]

  init(_ tag: Int, _ kind: Kind, _ values: [Int]) {
    self.tag = tag
    self.kind = kind
    count = values.count
    var bytes = LittleEndian()
    for value in values { bytes.add(value, kind == .short ? 2 : kind == .long ? 4 : 8) }
    self.bytes = bytes.bytes
  }

  init(_ tag: Int, text: [UInt8]) {
    self.tag = tag
    kind = .text
    bytes = text + [0]
    count = bytes.count
  }
}

/// Bytes with numbers whose lowest byte comes first.
private struct LittleEndian {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ other: [UInt8]) { bytes += other }

  mutating func add(_ number: Int, _ count: Int) {
    for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * place))) }
  }
}

import OMJSON

/// Sees to it that no two entries share bytes, which is how small archives pretend to hold much.
struct ZipSpans {
  /// Where the directory begins.
  let limit: Int
  private var spans: [Range<Int>] = []
  private var isAscending = true
  /// Where the first entry begins; the directory when there is none.
  private(set) var first: Int

  init(limit: Int) {
    self.limit = limit
    first = limit
  }

  /// Adds an entry.
  ///
  /// - Throws: A fault of kind `zip` when it reaches into the directory or beyond the file.
  mutating func add(_ record: ZipRecord, _ subject: String) throws(Fault) {
    let head = ZipFormat.Local.byteCount + record.name.count
    let (dataStart, first) = record.header.addingReportingOverflow(head)
    let (end, second) = dataStart.addingReportingOverflow(record.stored)
    guard !first, !second, end <= limit else {
      throw Fault(
        .zip, ZipRecord.place(record.name, subject),
        "is said to have \(record.stored) bytes at \(record.header), the directory begins at \(limit)"
      )
    }
    if let last = spans.last, record.header < last.upperBound { isAscending = false }
    self.first = min(self.first, record.header)
    spans.append(record.header..<end)
  }

  /// Compares all entries.
  ///
  /// - Throws: A fault of kind `zip` when two of them share bytes.
  mutating func finish(_ subject: String) throws(Fault) {
    if isAscending { return }
    spans.sort { $0.lowerBound < $1.lowerBound }
    for (one, next) in zip(spans, spans.dropFirst()) where next.lowerBound < one.upperBound {
      throw Fault(
        .zip, subject,
        "two entries share bytes: one takes \(one.lowerBound) to \(one.upperBound), the other begins "
          + "at \(next.lowerBound)", hint: "such archives are made to do harm; do not trust it")
    }
  }
}

/// How the entries of an archive follow each other.
struct ZipOrder {
  /// Whether no `zarr.json` follows another entry.
  var isJSONFirst: Bool { late.isEmpty }
  /// The first `zarr.json` that follows another entry; empty when there is none.
  private(set) var late = ""
  private var count = 0
  private var hasOther = false
  private var beginsWithRoot = true
  private var isBreadthFirst = true
  private var last: (depth: Int, name: [UInt8]) = (0, [])

  /// Takes the next entry.
  mutating func add(_ name: ArraySlice<UInt8>) {
    let document = Array("zarr.json".utf8)
    let isRoot = name.elementsEqual(document)
    if count == 0 { beginsWithRoot = isRoot }
    count += 1
    guard isRoot || name.count > 10 && name.suffix(10).elementsEqual([0x2F] + document) else {
      hasOther = true
      return
    }
    if hasOther && late.isEmpty { late = ZipRecord.printed(name) }
    let depth = name.count { $0 == UInt8(ascii: "/") }
    if depth < last.depth { isBreadthFirst = false }
    last = (depth, Array(name))
  }

  /// What RFC-9 wants otherwise; nil when the order is as it should be.
  var problem: String? {
    if count == 0 { return nil }
    if !isJSONFirst { return "`\(late)` comes after entries that are no metadata" }
    if !beginsWithRoot { return "the first entry is not the `zarr.json` of the root" }
    return isBreadthFirst ? nil : "the `zarr.json` of groups do not come before those below them"
  }
}

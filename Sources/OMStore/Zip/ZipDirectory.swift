import OMJSON

/// All entries of an archive, checked, and found by name.
///
/// The directory is read in windows, so that it costs no more memory than names and numbers of the entries.
struct ZipDirectory: Sendable {
  /// The entries that are no folders, in the order of the directory; of those with one name the last.
  private(set) var entries: [ZipEntry] = []
  /// What the comment says.
  let comment: ZipComment
  /// What RFC-9 wants otherwise and readers can live with.
  private(set) var remarks: [ZipRemark] = []
  /// Where the central directory begins: all entries end before.
  let start: Int
  /// Whether the end of the archive is in the ZIP64 form.
  let isWide: Bool
  /// The names of all entries, one behind the other.
  private var names: [UInt8] = []
  /// The entries in the order of the tree: `a`, what is below `a`, then `a-b`.
  private var sorted: [Int32] = []
  private let subject: String

  /// All names together may have this many times the limit of entries.
  private static let nameShare = 128

  /// Reads the directory of an archive.
  ///
  /// - Parameters:
  ///   - file: The whole archive.
  ///   - subject: Its path.
  /// - Throws: `zip` for what contradicts itself or the file, `path` for names that lead elsewhere,
  ///   `unsupported` for what is encrypted, in parts or compressed in other ways, `limit`.
  init(_ file: OpenedValue, subject: String) throws(Fault) {
    self.subject = subject
    let end = try ZipEnd(file, subject: subject)
    comment = ZipComment(end.comment)
    start = end.directory.lowerBound
    isWide = end.isWide
    if let problem = comment.problem { remark(.comment, problem) }
    let most = Limits.current.zipEntries
    if end.count > most {
      throw Fault(
        .limit, subject, "has \(end.count) entries, the limit is \(most)",
        hint: Limits.hint(.zipEntries))
    }
    var spans = ZipSpans(limit: start)
    var order = ZipOrder()
    try read(file, end, limit: most * Self.nameShare) { (record) throws(Fault) in
      try spans.add(record, subject)
      if !record.isFolder { order.add(record.name) }
    }
    try spans.finish(subject)
    try sort()
    let promise = comment.isJSONFirst
    if promise, !order.isJSONFirst {
      throw Fault(
        .zip, subject,
        "the comment says that metadata come first (`jsonFirst`), but `\(order.late)` comes after "
          + "other entries", hint: "pack it again, for example with `omtask unpack` and `pack`")
    }
    if let problem = order.problem { remark(.order, problem) }
    let deflated = entries.count { $0.method == .deflated }
    if deflated > 0 {
      remark(
        .compression,
        "\(deflated) of \(entries.count) entries are deflated, RFC-9 wants them stored: parts of them "
          + "cannot be read without the rest")
    }
    if spans.first > 0 {
      remark(.start, "\(spans.first) bytes lie in front of the first entry")
    }
  }

  private mutating func remark(_ subject: ZipRemark.Subject, _ text: String) {
    remarks.append(ZipRemark(subject: subject, text: text))
  }

  /// Reads all records.
  private mutating func read(
    _ file: OpenedValue, _ end: ZipEnd, limit: Int,
    _ look: (ZipRecord) throws(Fault) -> Void
  ) throws(Fault) {
    let fixed = ZipFormat.Central.byteCount
    var window = ZipWindow(file, end, subject)
    var foreign = 0
    entries.reserveCapacity(min(end.count, end.directory.count / fixed))
    for number in 0..<end.count {
      var here = try window.need(fixed, number)
      guard window.bytes.zip32(here) == ZipFormat.Central.signature else {
        throw Fault(
          .zip, subject, "there is no entry \(number) of \(end.count) at \(window.place)",
          hint: "copy the file again, it may be damaged")
      }
      let lengths = [28, 30, 32].map { window.bytes.zip16(here + $0) }
      let whole = lengths.reduce(fixed, +)
      here = try window.need(whole, number)
      var record = try ZipRecord(window.bytes, at: here, subject: subject)
      try record.move(by: end.shift, subject)
      try look(record)
      foreign += record.foreignExtras
      if !record.isFolder { add(record) }
      if names.count > limit {
        throw Fault(
          .limit, subject, "the names of its entries have more than \(limit) bytes",
          hint: Limits.hint(.zipEntries))
      }
      window.place += whole
    }
    if window.rest > 0 {
      throw Fault(
        .zip, subject, "\(window.rest) bytes follow the last of \(end.count) entries")
    }
    if foreign > 0 {
      remark(.extraFields, "there are \(foreign) extra fields that RFC-9 does not know")
    }
  }

  private mutating func add(_ record: ZipRecord) {
    entries.append(
      ZipEntry(
        nameStart: names.count, nameCount: record.name.count, header: record.header,
        stored: record.stored, size: record.size, crc: record.crc, method: record.method))
    names += record.name
  }

  /// Puts entries in the order of the tree, of those with one name the last.
  private mutating func sort() throws(Fault) {
    var order = entries.indices.map(Int32.init)
    names.withUnsafeBufferPointer { names in
      entries.withUnsafeBufferPointer { entries in
        order.sort { left, right in
          let (a, b) = (entries[Int(left)], entries[Int(right)])
          let sign = treeOrder(names[a.nameRange], names[b.nameRange])
          return sign == 0 ? left < right : sign < 0
        }
      }
    }
    var doubles: [Int32] = []
    sorted.reserveCapacity(order.count)
    for number in order {
      if let last = sorted.last {
        let (a, b) = (name(Int(last)), name(Int(number)))
        if a == b {
          doubles.append(last)
          sorted.removeLast()
        } else if b.count > a.count, b.starts(with: a),
          b[b.startIndex + a.count] == UInt8(ascii: "/")
        {
          throw Fault(
            .zip, ZipRecord.place(a, subject),
            "is an entry, and a folder of others such as `\(ZipRecord.printed(b))`")
        }
      }
      sorted.append(number)
    }
    if !doubles.isEmpty { drop(doubles) }
  }

  /// Leaves out entries that others of the same name replace.
  private mutating func drop(_ doubles: [Int32]) {
    let gone = Set(doubles)
    var numbers: [Int32: Int32] = [:]
    var kept: [ZipEntry] = []
    for number in entries.indices where !gone.contains(Int32(number)) {
      numbers[Int32(number)] = Int32(kept.count)
      kept.append(entries[number])
    }
    entries = kept
    sorted = sorted.compactMap { numbers[$0] }
    remark(.duplicates, "\(gone.count) entries are replaced by later ones of the same name")
  }
}

extension ZipDirectory {
  /// The name of an entry.
  func name(_ number: Int) -> ArraySlice<UInt8> { names[entries[number].nameRange] }

  /// The name of an entry as a key.
  func key(_ number: Int) -> String { String(decoding: name(number), as: UTF8.self) }

  /// The number of the entry of a key; nil when there is none.
  func find(_ key: String) -> Int? {
    let place = firstPlace(of: key.utf8)
    guard place < sorted.count else { return nil }
    let number = Int(sorted[place])
    return name(number).elementsEqual(key.utf8) ? number : nil
  }

  /// Whether there are entries below a key.
  func isFolder(_ key: String) -> Bool {
    if key.isEmpty { return !entries.isEmpty }
    let prefix = Array((key + "/").utf8)
    let place = firstPlace(of: prefix)
    return place < sorted.count && name(Int(sorted[place])).starts(with: prefix)
  }

  /// The names directly below a key.
  func list(_ key: String) -> [String] {
    let prefix = Array((key.isEmpty ? "" : key + "/").utf8)
    var found: [String] = []
    var place = firstPlace(of: prefix)
    while place < sorted.count {
      let name = self.name(Int(sorted[place]))
      guard name.starts(with: prefix) else { break }
      let rest = name.dropFirst(prefix.count)
      let child = rest.prefix { $0 != UInt8(ascii: "/") }
      found.append(String(decoding: child, as: UTF8.self))
      place =
        child.count == rest.count ? place + 1 : endPlace(of: prefix + child + [UInt8(ascii: "/")])
    }
    return found
  }

  /// The first place in the order of the tree whose name does not come before this one.
  private func firstPlace(of name: some Collection<UInt8>) -> Int {
    partition { treeOrder(self.name($0), name) < 0 }
  }

  /// The first place behind all names that begin with this prefix.
  private func endPlace(of prefix: [UInt8]) -> Int {
    partition { number in
      let name = self.name(number)
      return name.starts(with: prefix) || treeOrder(name, prefix) < 0
    }
  }

  private func partition(_ isBefore: (Int) -> Bool) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(Int(sorted[middle])) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The part of a directory that is in memory.
private struct ZipWindow {
  /// The next record in the archive.
  var place: Int
  /// Bytes of the directory.
  private(set) var bytes: [UInt8] = []
  private var start: Int
  private let file: OpenedValue
  private let end: ZipEnd
  private let subject: String
  /// The bytes that are read at once.
  private static let step = 1 << 20

  init(_ file: OpenedValue, _ end: ZipEnd, _ subject: String) {
    (self.file, self.end, self.subject) = (file, end, subject)
    place = end.directory.lowerBound
    start = place
  }

  /// Bytes of the directory behind the place.
  var rest: Int { end.directory.upperBound - place }

  /// Sees to it that so many bytes are there.
  ///
  /// - Returns: Where they begin in `bytes`.
  mutating func need(_ count: Int, _ number: Int) throws(Fault) -> Int {
    if count > rest {
      throw Fault(
        .zip, subject, "the directory ends within entry \(number) of \(end.count)",
        hint: "copy the file again, it may be damaged")
    }
    if place + count > start + bytes.count {
      bytes = try file.bytes(at: place, count: max(count, min(ZipWindow.step, rest)))
      start = place
    }
    return place - start
  }
}

/// Compares names so that what lies below a name follows it at once: `/` comes before everything.
///
/// - Returns: Below 0, 0 or above 0.
private func treeOrder(
  _ left: some Collection<UInt8>, _ right: some Collection<UInt8>
) -> Int {
  var (a, b) = (left.makeIterator(), right.makeIterator())
  while true {
    guard let x = a.next() else { return b.next() == nil ? 0 : -1 }
    guard let y = b.next() else { return 1 }
    if x == y { continue }
    if x == UInt8(ascii: "/") { return -1 }
    if y == UInt8(ascii: "/") { return 1 }
    return x < y ? -1 : 1
  }
}

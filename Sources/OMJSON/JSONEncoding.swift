/// Checks size, byte order mark and UTF-8 of a whole document before it is parsed.
func checkEncoding(_ text: UnsafeBufferPointer<UInt8>, subject: String) throws(Fault) {
  if text.isEmpty {
    throw Fault(
      .json, subject, "the document is empty (0 bytes)",
      hint: "a full disk or a crash leaves empty files; restore it or write it again")
  }
  if text.count > JSON.maximumBytes {
    throw Fault(
      .limit, subject, "the document has \(text.count) bytes, the limit is \(JSON.maximumBytes)",
      hint: Limits.hint(.metadata))
  }
  if text.starts(with: [0xEF, 0xBB, 0xBF]) {
    throw Fault(
      .json, subject, "the document begins with a byte order mark (EF BB BF), JSON allows none",
      hint: "save it as UTF-8 without byte order mark")
  }
  do {
    _ = try UTF8Span(validating: text.span)
  } catch {
    let place = error.byteOffsets.lowerBound
    throw Fault(
      .json, subject,
      "\(describedByte(text, place)) is not UTF-8 (\(lineAndColumn(text, place)))",
      hint: "save it as UTF-8")
  }
}

/// The byte at a place as messages show it: `` `x` ``, `byte 0xE9` or `the end`.
func describedByte(_ text: UnsafeBufferPointer<UInt8>, _ place: Int) -> String {
  guard place < text.count else { return "the end of the document" }
  let byte = text[place]
  let digits = String(byte, radix: 16, uppercase: true)
  return 0x21..<0x7F ~= byte
    ? "`\(Unicode.Scalar(byte))`" : "byte 0x\(byte < 16 ? "0" : "")\(digits)"
}

/// The place as people count it, both from 1; columns count characters, not bytes.
func lineAndColumn(_ text: UnsafeBufferPointer<UInt8>, _ place: Int) -> String {
  let before = text[..<min(place, text.count)]
  let newline = UInt8(ascii: "\n")
  let lineStart = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
  let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
  return "line \(before.count { $0 == newline } + 1), column \(column)"
}

/// Finds a key that appears twice, without the cost of a set for small objects.
struct KeySet {
  private var keys: Set<String> = []

  /// Notes a key.
  ///
  /// - Parameters:
  ///   - key: The key just read.
  ///   - members: The members read before it.
  /// - Returns: Whether the key is new.
  mutating func insert(_ key: String, besides members: [(key: String, value: JSON)]) -> Bool {
    if members.count < 16 { return !members.contains { $0.key == key } }
    if keys.isEmpty { keys = Set(members.map(\.key)) }
    return keys.insert(key).inserted
  }
}

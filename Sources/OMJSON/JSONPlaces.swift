/// A place in a text as people count it, line and column from 1; columns count characters.
public struct TextPlace: Sendable, Hashable {
  /// The line.
  public let line: Int
  /// The column.
  public let column: Int

  /// Makes a place.
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

extension TextPlace: Comparable {
  /// Whether the left place comes first.
  public static func < (left: TextPlace, right: TextPlace) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// Where the values of a document stand in its text.
///
/// The tree keeps no positions, because nearly nobody asks for them. Who does goes over the text
/// once more.
public struct JSONPlaces: Sendable {
  private struct Entry {
    var key: Int?
    var value: Int
  }

  private let text: [UInt8]
  private let lineStarts: [Int]
  private var entries: [JSONPointer: Entry] = [:]

  /// Finds all places.
  ///
  /// - Parameters:
  ///   - text: A document that has been parsed.
  ///   - subject: The document, as messages should name it.
  /// - Throws: A fault of kind `json` when it is not one after all.
  public init(_ text: [UInt8], subject: String) throws(Fault) {
    self.text = text
    lineStarts = [0] + text.indices.filter { text[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    entries = try text.withUnsafeBufferPointer { (buffer) throws(Fault) in
      var scan = Scan(
        parser: JSONParser(text: buffer, subject: subject, acceptsNonFinite: true))
      try scan.value(JSONPointer(), key: nil, depth: 0)
      return scan.entries
    }
  }

  /// The place where a value, or the key of a member, begins.
  ///
  /// For a value that is not there it is the place of the nearest value around it that is.
  public func place(of pointer: JSONPointer, atKey: Bool = false) -> TextPlace {
    var pointer = pointer
    while entries[pointer] == nil, let parent = pointer.parent { pointer = parent }
    guard let entry = entries[pointer] else { return TextPlace(line: 1, column: 1) }
    return place(at: atKey ? entry.key ?? entry.value : entry.value)
  }

  private func place(at offset: Int) -> TextPlace {
    let line = lineStarts.partition(above: offset)
    let column = text[lineStarts[line - 1]..<offset].count { $0 & 0xC0 != 0x80 } + 1
    return TextPlace(line: line, column: column)
  }

  /// The second walk over the text, which keeps places instead of values.
  private struct Scan {
    var parser: JSONParser
    var entries: [JSONPointer: Entry] = [:]

    mutating func value(_ pointer: JSONPointer, key: Int?, depth: Int) throws(Fault) {
      parser.skipSpace()
      entries[pointer] = Entry(key: key, value: parser.position)
      switch parser.peek {
      case UInt8(ascii: "{"):
        try items(UInt8(ascii: "}"), depth + 1) { (scan, _) throws(Fault) in
          let start = scan.parser.position
          let name = try scan.parser.string()
          scan.parser.skipSpace()
          guard scan.parser.take(UInt8(ascii: ":")) else { throw scan.parser.unexpected("`:`") }
          try scan.value(pointer.appending(name), key: start, depth: depth + 1)
        }
      case UInt8(ascii: "["):
        try items(UInt8(ascii: "]"), depth + 1) { (scan, index) throws(Fault) in
          try scan.value(pointer.appending("\(index)"), key: nil, depth: depth + 1)
        }
      default: _ = try parser.value(depth: depth)
      }
    }

    /// Goes over what stands in brackets.
    private mutating func items(
      _ close: UInt8, _ depth: Int, _ item: (inout Scan, Int) throws(Fault) -> Void
    ) throws(Fault) {
      try parser.enter(depth)
      parser.skipSpace()
      if parser.take(close) { return }
      var index = 0
      repeat {
        parser.skipSpace()
        try item(&self, index)
        parser.skipSpace()
        index += 1
      } while parser.take(UInt8(ascii: ","))
      guard parser.take(close) else { throw parser.unexpected("`,` or a closing bracket") }
    }
  }
}

extension [Int] {
  /// How many of these growing numbers are not above a limit.
  fileprivate func partition(above limit: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] <= limit { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Fault {
  /// The message of a fault of the parser without the place at its end, and that place.
  public var located: (message: String, place: TextPlace)? {
    guard let match = message.wholeMatch(of: /((?s).*) \(line (\d+), column (\d+)\)/),
      let line = Int(match.2), let column = Int(match.3)
    else { return nil }
    return (String(match.1), TextPlace(line: line, column: column))
  }
}

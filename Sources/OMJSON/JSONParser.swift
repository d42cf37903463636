extension JSON {
  /// The largest document that is read: the limit `metadata`.
  public static var maximumBytes: Int { Limits.current.metadata }

  /// Reads a document.
  ///
  /// The tokens `NaN`, `Infinity` and `-Infinity`, which Python writes, are accepted below members
  /// named `attributes`, where they are somebody else's data; elsewhere they are refused.
  ///
  /// - Parameters:
  ///   - bytes: The whole document in UTF-8.
  ///   - subject: The document, as messages should name it.
  ///   - lenient: Whether those tokens are accepted everywhere, as for `.zattrs` of Zarr v2.
  /// - Throws: A fault of kind `json`, or `limit` for what is too large or too deep; both name the
  ///   line and the column.
  public init(parsing bytes: [UInt8], subject: String, lenient: Bool = false) throws(Fault) {
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(Fault) in
      try JSON(parsing: UnsafeRawBufferPointer(buffer), subject: subject, lenient: lenient)
    }
  }

  /// Reads a document from memory that somebody else owns.
  ///
  /// - Parameters:
  ///   - bytes: The whole document in UTF-8.
  ///   - subject: The document, as messages should name it.
  ///   - lenient: Whether `NaN`, `Infinity` and `-Infinity` are accepted everywhere.
  /// - Throws: A fault of kind `json`, or `limit` for what is too large or too deep.
  public init(
    parsing bytes: UnsafeRawBufferPointer, subject: String, lenient: Bool = false
  ) throws(Fault) {
    let text = bytes.bindMemory(to: UInt8.self)
    try checkEncoding(text, subject: subject)
    var parser = JSONParser(text: text, subject: subject, acceptsNonFinite: lenient)
    self = try parser.document()
  }
}

/// One pass over a document that is known to be UTF-8.
struct JSONParser {
  let text: UnsafeBufferPointer<UInt8>
  let subject: String
  var acceptsNonFinite: Bool
  var position = 0
  let maximumDepth = Limits.current.jsonDepth

  init(text: UnsafeBufferPointer<UInt8>, subject: String, acceptsNonFinite: Bool) {
    self.text = text
    self.subject = subject
    self.acceptsNonFinite = acceptsNonFinite
  }

  mutating func document() throws(Fault) -> JSON {
    let result = try value(depth: 0)
    skipSpace()
    if position < text.count { throw unexpected("the end of the document") }
    return result
  }

  mutating func value(depth: Int) throws(Fault) -> JSON {
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try .object(object(depth: depth + 1))
    case UInt8(ascii: "["): return try .array(array(depth: depth + 1))
    case UInt8(ascii: "\""): return try .string(string())
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): return try number()
    default: return try word()
    }
  }

  mutating func object(depth: Int) throws(Fault) -> JSONObject {
    try enter(depth)
    var members: [(key: String, value: JSON)] = []
    var keys = KeySet()
    skipSpace()
    if take(UInt8(ascii: "}")) { return JSONObject() }
    repeat {
      skipSpace()
      let start = position
      guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
      let key = try string()
      guard keys.insert(key, besides: members) else {
        throw fault(.json, "the key `\(key)` appears twice", at: start)
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected("`:`") }
      members.append((key: key, value: try member(key, depth: depth)))
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw unexpected("`,` or `}`") }
    return JSONObject(checked: members)
  }

  /// The value of a member; everything below `attributes` may hold numbers that are not finite.
  mutating func member(_ key: String, depth: Int) throws(Fault) -> JSON {
    let outside = acceptsNonFinite
    if key == "attributes" { acceptsNonFinite = true }
    let result = try value(depth: depth)
    acceptsNonFinite = outside
    return result
  }

  mutating func array(depth: Int) throws(Fault) -> [JSON] {
    try enter(depth)
    var elements: [JSON] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return elements }
    repeat {
      elements.append(try value(depth: depth))
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw unexpected("`,` or `]`") }
    return elements
  }

  /// Steps over an opening bracket.
  mutating func enter(_ depth: Int) throws(Fault) {
    if depth > maximumDepth {
      var fault = fault(.limit, "nested more than \(maximumDepth) levels deep", at: position)
      fault.hint = Limits.hint(.jsonDepth)
      throw fault
    }
    position += 1
  }
}

// MARK: - Steps

extension JSONParser {
  /// The next byte; 0, which is no part of JSON, at the end.
  var peek: UInt8 { position < text.count ? text[position] : 0 }

  mutating func skipSpace() {
    while position < text.count {
      switch text[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte, position < text.count else { return false }
    position += 1
    return true
  }

  mutating func take(_ word: String) -> Bool {
    guard text[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  func unexpected(_ expected: String) -> Fault {
    fault(.json, "\(describedByte(text, position)) where \(expected) is expected", at: position)
  }

  func fault(_ kind: FaultKind, _ message: String, at place: Int) -> Fault {
    Fault(kind, subject, "\(message) (\(lineAndColumn(text, place)))")
  }
}

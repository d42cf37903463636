package import OMJSON

/// Goes over an XML document element by element: names, attributes, and the text of elements.
///
/// Documents that define names of their own (`<!DOCTYPE`) are refused, so nothing in one leads out of it;
/// what is nested deeper than `deepest` is refused, too.
package struct XMLScanner {
  /// What comes next in a document.
  package enum Item: Sendable, Equatable {
    case start(String)
    case text(String)
    case end(String)
  }

  /// The attributes of the element that has just begun, as they stand; `attributes()` reads them.
  private var rawAttributes: Substring.UTF8View = "".utf8[...]
  private var open: [String] = []
  private var rest: Substring.UTF8View
  /// The end of an element without parts, which was begun by the item before.
  private var pendingEnd: String?
  private let subject: String
  private let noun: String
  private let deepest: Int
  private let takesComments: Bool

  /// Begins at the start of a document.
  ///
  /// - Parameters:
  ///   - bytes: The document.
  ///   - subject: What faults are about.
  ///   - noun: How faults call it.
  ///   - deepest: How deep elements may be nested.
  ///   - takesComments: Whether comments and raw text (`<![CDATA[`) may stand in it.
  /// - Throws: A fault of kind `metadata` for what is not UTF-8.
  package init(
    _ bytes: [UInt8], subject: String, noun: String, deepest: Int, takesComments: Bool
  ) throws(Fault) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Fault(.metadata, subject, "\(noun) is not UTF-8")
    }
    rest = text.utf8[...]
    self.subject = subject
    self.noun = noun
    self.deepest = deepest
    self.takesComments = takesComments
  }

  /// How many elements are open.
  package var depth: Int { open.count }

  /// The next start, end or text; nil at the end.
  ///
  /// Text is given as it is, white space between elements too.
  ///
  /// - Throws: A fault of kind `metadata` for what is no XML.
  package mutating func next() throws(Fault) -> Item? {
    if let name = pendingEnd {
      pendingEnd = nil
      return .end(name)
    }
    while let first = rest.first {
      if first != UInt8(ascii: "<") { return try nextText() }
      if try skipsRemark() { continue }
      if let text = try rawText() { return text }
      return try nextTag()
    }
    if let name = open.last { throw broken("`<\(escaped(name))>` has no end") }
    return nil
  }

  /// The attributes of the element that has just begun.
  ///
  /// - Throws: A fault of kind `metadata` for what are no attributes.
  package func attributes() throws(Fault) -> [String: String] {
    var attributes: [String: String] = [:]
    var rest = rawAttributes
    while true {
      rest = rest.drop { $0 <= 0x20 }
      if rest.isEmpty { return attributes }
      let name = rest.prefix { $0 > 0x20 && $0 != UInt8(ascii: "=") }
      rest = rest[name.endIndex...].drop { $0 <= 0x20 }
      guard rest.popFirst() == UInt8(ascii: "="), !name.isEmpty else {
        throw broken("an attribute without a value")
      }
      rest = rest.drop { $0 <= 0x20 }
      guard let quote = rest.popFirst(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
        let end = rest.firstIndex(of: quote)
      else { throw broken("an attribute without quotes") }
      guard let value = decoded(rest[..<end]) else { throw broken(Self.unknownName) }
      if attributes.updateValue(value, forKey: String(decoding: name, as: UTF8.self)) != nil {
        throw broken("an attribute that stands twice")
      }
      rest = rest[rest.index(after: end)...]
    }
  }

  private static let unknownName = "a `&` that names nothing known"

  private func broken(_ what: String) -> Fault {
    Fault(.metadata, subject, "\(noun) is no XML: \(what)")
  }

  /// The text up to the next tag.
  private mutating func nextText() throws(Fault) -> Item {
    let end = rest.firstIndex(of: UInt8(ascii: "<")) ?? rest.endIndex
    let text = rest[..<end]
    rest = rest[end...]
    guard let value = decoded(text) else { throw broken(Self.unknownName) }
    return .text(value)
  }

  /// Passes over `<?…?>` and a comment.
  private mutating func skipsRemark() throws(Fault) -> Bool {
    if rest.starts(with: "<?".utf8) {
      rest = try after("?>")
      return true
    }
    guard takesComments, rest.starts(with: "<!--".utf8) else { return false }
    rest = try after("-->")
    return true
  }

  private mutating func rawText() throws(Fault) -> Item? {
    guard takesComments, rest.starts(with: "<![CDATA[".utf8) else { return nil }
    let whole = rest
    rest = try after("]]>")
    let text = whole[..<rest.startIndex].dropFirst(9).dropLast(3)
    return .text(String(decoding: text, as: UTF8.self))
  }

  private func after(_ end: String) throws(Fault) -> Substring.UTF8View {
    guard let found = rest.firstRange(of: Array(end.utf8)) else {
      throw broken("`\(end)` is missing")
    }
    return rest[found.upperBound...]
  }

  private mutating func nextTag() throws(Fault) -> Item {
    guard let end = tagEnd() else { throw broken("a `<` without `>`") }
    var tag = rest[rest.index(after: rest.startIndex)..<end]
    rest = rest[rest.index(after: end)...]
    switch tag.first {
    case UInt8(ascii: "!"): throw broken("it has a `<!`")
    case UInt8(ascii: "/"):
      let name = String(decoding: tag.dropFirst().filter { $0 > 0x20 }, as: UTF8.self)
      guard open.popLast() == name else { throw broken("`</\(escaped(name))>` ends nothing") }
      return .end(name)
    default:
      let isEmpty = tag.last == UInt8(ascii: "/")
      if isEmpty { tag = tag.dropLast() }
      let word = tag.prefix { $0 > 0x20 }
      if word.isEmpty { throw broken("an element without a name") }
      if open.count >= deepest { throw broken("it is nested too deep") }
      let name = String(decoding: word, as: UTF8.self)
      rawAttributes = tag[word.endIndex...]
      if isEmpty { pendingEnd = name } else { open.append(name) }
      return .start(name)
    }
  }

  /// The `>` of the tag that comes; those between quotes are none.
  private func tagEnd() -> Substring.UTF8View.Index? {
    var quote: UInt8?
    var place = rest.startIndex
    while place < rest.endIndex {
      let byte = rest[place]
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: ">") {
        return place
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      }
      place = rest.index(after: place)
    }
    return nil
  }
}

/// Text with the characters that `&…;` stands for; nil where it stands for none.
private func decoded(_ text: Substring.UTF8View) -> String? {
  if !text.contains(UInt8(ascii: "&")) { return String(decoding: text, as: UTF8.self) }
  var bytes: [UInt8] = []
  var rest = text
  while let first = rest.popFirst() {
    if first != UInt8(ascii: "&") {
      bytes.append(first)
      continue
    }
    let name = rest.prefix { $0 != UInt8(ascii: ";") }
    guard name.count <= 10, name.endIndex < rest.endIndex,
      let character = character(String(decoding: name, as: UTF8.self))
    else { return nil }
    bytes += Array(String(character).utf8)
    rest = rest[rest.index(after: name.endIndex)...]
  }
  return String(decoding: bytes, as: UTF8.self)
}

private func character(_ name: String) -> Character? {
  switch name {
  case "amp": return "&"
  case "lt": return "<"
  case "gt": return ">"
  case "quot": return "\""
  case "apos": return "'"
  default:
    guard name.hasPrefix("#") else { return nil }
    let digits = name.dropFirst()
    let number =
      digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
    return number.flatMap(Unicode.Scalar.init).map(Character.init)
  }
}

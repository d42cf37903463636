package import OMJSON

/// The elements of a small XML document, as S3 answers: their names, and the text of those without parts.
///
/// Attributes are passed over. Documents that define names of their own are refused, and so is what is nested
/// deeper than any such answer.
package struct XMLElements: Sendable {
  /// What comes next in a document.
  package enum Item: Sendable, Equatable {
    case start(String)
    case text(String)
    case end(String)
  }

  /// All of it, in order; text between elements is left out.
  package let items: [Item]

  private static let deepest = 16

  /// Reads a document.
  ///
  /// - Parameters:
  ///   - bytes: The document.
  ///   - subject: What faults are about.
  /// - Throws: A fault of kind `metadata` for what is no such document.
  package init(_ bytes: [UInt8], subject: String) throws(Fault) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Fault(.metadata, subject, "the answer is not UTF-8")
    }
    var items: [Item] = []
    var open: [String] = []
    var rest = text.utf8[...]
    func broken(_ what: String) -> Fault {
      Fault(.metadata, subject, "the answer is no XML: \(what)")
    }
    while !rest.isEmpty {
      guard rest.first == UInt8(ascii: "<") else {
        let end = rest.firstIndex(of: UInt8(ascii: "<")) ?? rest.endIndex
        if case .start = items.last, let value = Self.decoded(rest[..<end]) {
          if !value.isEmpty { items.append(.text(value)) }
        } else if !rest[..<end].allSatisfy({ $0 <= 0x20 }), Self.decoded(rest[..<end]) == nil {
          throw broken("a `&` that names nothing known")
        }
        rest = rest[end...]
        continue
      }
      guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else {
        throw broken("a `<` without `>`")
      }
      var tag = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
      switch tag.first {
      case UInt8(ascii: "?"): continue
      case UInt8(ascii: "!"): throw broken("it has a `<!`")
      case UInt8(ascii: "/"):
        let name = String(decoding: tag.dropFirst().filter { $0 > 0x20 }, as: UTF8.self)
        guard open.popLast() == name else { throw broken("`</\(escaped(name))>` ends nothing") }
        items.append(.end(name))
      default:
        let isEmpty = tag.last == UInt8(ascii: "/")
        if isEmpty { tag.removeLast() }
        let name = String(decoding: tag.prefix { $0 > 0x20 }, as: UTF8.self)
        if name.isEmpty { throw broken("an element without a name") }
        if open.count >= Self.deepest { throw broken("it is nested too deep") }
        items.append(.start(name))
        if isEmpty { items.append(.end(name)) } else { open.append(name) }
      }
    }
    if let name = open.last { throw broken("`<\(escaped(name))>` has no end") }
    self.items = items
  }

  /// The text of the first element of a name.
  package func text(_ name: String) -> String? {
    for (index, item) in items.enumerated() where item == .start(name) {
      if index + 1 < items.count, case .text(let text) = items[index + 1] { return text }
      return ""
    }
    return nil
  }

  /// The texts of all elements of a name that are directly in others of a name.
  package func texts(_ name: String, in holder: String) -> [String] {
    var open: [String] = []
    var texts: [String] = []
    for item in items {
      switch item {
      case .start(let started): open.append(started)
      case .end: open.removeLast()
      case .text(let text): if open.suffix(2) == [holder, name] { texts.append(text) }
      }
    }
    return texts
  }

  /// Text with the characters that `&…;` stands for; nil where it stands for none.
  private static func decoded(_ text: some Collection<UInt8>) -> String? {
    var bytes: [UInt8] = []
    var rest = text[...]
    while let first = rest.first {
      rest = rest.dropFirst()
      if first != UInt8(ascii: "&") {
        bytes.append(first)
        continue
      }
      let name = rest.prefix { $0 != UInt8(ascii: ";") }
      guard name.count <= 10, name.count < rest.count,
        let character = character(String(decoding: name, as: UTF8.self))
      else { return nil }
      bytes += Array(String(character).utf8)
      rest = rest.dropFirst(name.count + 1)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func character(_ name: String) -> Character? {
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
}

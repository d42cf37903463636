extension JSON {
  /// The value as JSON text; numbers keep the text with which they were read.
  ///
  /// With `indent`, each value has its line and each level that many spaces, as Python writes it.
  public func text(indent: Int? = nil) -> String {
    String(decoding: bytes(indent: indent), as: UTF8.self)
  }

  /// The value as JSON text in UTF-8, ready to be stored.
  public func bytes(indent: Int? = nil) -> [UInt8] {
    var writer = JSONWriter(indent: indent)
    writer.write(self, level: 0)
    return writer.output
  }
}

/// Appends JSON text to a buffer.
private struct JSONWriter {
  let indent: Int?
  var output: [UInt8] = []

  init(indent: Int?) {
    self.indent = indent
    // Most documents fit, so the buffer seldom moves.
    output.reserveCapacity(4096)
  }

  mutating func write(_ value: JSON, level: Int) {
    switch value {
    case .null: append("null")
    case .bool(let flag): append(flag ? "true" : "false")
    case .number(let text): append(text)
    case .string(let text): write(text)
    case .array(let elements):
      writeList("[", "]", count: elements.count, level: level) { writer, index in
        writer.write(elements[index], level: level + 1)
      }
    case .object(let object):
      writeList("{", "}", count: object.count, level: level) { writer, index in
        let (key, member) = object.members[index]
        writer.write(key)
        writer.append(writer.indent == nil ? ":" : ": ")
        writer.write(member, level: level + 1)
      }
    }
  }

  /// Brackets, commas and line breaks around `count` items.
  mutating func writeList(
    _ open: StaticString, _ close: StaticString, count: Int, level: Int,
    item: (inout JSONWriter, Int) -> Void
  ) {
    append(open)
    for index in 0..<count {
      if index > 0 { append(",") }
      breakLine(level + 1)
      item(&self, index)
    }
    if count > 0 { breakLine(level) }
    append(close)
  }

  mutating func breakLine(_ level: Int) {
    guard let indent else { return }
    output.append(UInt8(ascii: "\n"))
    for _ in 0..<indent * level { output.append(UInt8(ascii: " ")) }
  }

  /// A string in quotes; only what JSON demands is escaped.
  mutating func write(_ text: String) {
    output.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { utf8 in
      if utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") })
      {
        for byte in utf8 { writeEscaped(byte) }
      } else {
        output.append(contentsOf: utf8)
      }
    }
    output.append(UInt8(ascii: "\""))
  }

  mutating func writeEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case UInt8(ascii: "\n"): append("\\n")
    case UInt8(ascii: "\r"): append("\\r")
    case UInt8(ascii: "\t"): append("\\t")
    case 0..<0x10: append("\\u000" + String(byte, radix: 16))
    case 0x10..<0x20: append("\\u00" + String(byte, radix: 16))
    default: output.append(byte)
    }
  }

  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { output.append(contentsOf: $0) }
  }

  mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { output.append(contentsOf: $0) }
  }
}

// The tokens of a document: numbers, words and strings.

extension JSONParser {
  mutating func number() throws(Fault) -> JSON {
    let start = position
    if take(UInt8(ascii: "-")), peek == UInt8(ascii: "I") {
      position = start
      return try word()
    }
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    var mayOverflow = position - start > 300
    if peek | 0x20 == UInt8(ascii: "e") {
      mayOverflow = true
      position += 1
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    let number = String(decoding: text[start..<position], as: UTF8.self)
    if mayOverflow, Double(number)?.isFinite != true {
      throw fault(.json, "the number `\(number.prefix(40))` does not fit a 64-bit float", at: start)
    }
    return .number(number)
  }

  /// One digit or more.
  mutating func digits() throws(Fault) {
    let start = position
    while peek &- UInt8(ascii: "0") <= 9 { position += 1 }
    if position == start { throw unexpected("a digit") }
  }

  mutating func word() throws(Fault) -> JSON {
    if take("null") { return .null }
    if take("true") { return .bool(true) }
    if take("false") { return .bool(false) }
    let start = position
    for token in ["NaN", "Infinity", "-Infinity"] where take(token) {
      if acceptsNonFinite { return .number(token) }
      throw fault(.json, "`\(token)` is no JSON number", at: start)
    }
    throw unexpected("a value")
  }
}

extension JSONParser {
  /// A string; without escapes, which is nearly always, its bytes are taken as they are.
  mutating func string() throws(Fault) -> String {
    position += 1
    let start = position
    skipPlainText()
    if take(UInt8(ascii: "\"")) {
      return String(decoding: text[start..<position - 1], as: UTF8.self)
    }
    var bytes = Array(text[start..<position])
    while !take(UInt8(ascii: "\"")) {
      if take(UInt8(ascii: "\\")) {
        bytes.append(contentsOf: Array(String(try escape()).utf8))
      } else {
        throw unexpected("the rest of a string")
      }
      let next = position
      skipPlainText()
      bytes.append(contentsOf: text[next..<position])
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Goes on to the next quote, backslash or control character, or to the end.
  mutating func skipPlainText() {
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
      position += 1
    }
  }

  /// What stands behind a backslash.
  mutating func escape() throws(Fault) -> Unicode.Scalar {
    let letter = peek
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default:
      position -= 1
      throw unexpected("an escape that JSON knows")
    }
  }

  /// Four hexadecimal digits, or a pair of them for a character beyond 16 bits.
  mutating func unicodeEscape() throws(Fault) -> Unicode.Scalar {
    let start = position - 2
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, take("\\u") {
      let second = try hexadecimal()
      if 0xDC00...0xDFFF ~= second,
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      {
        return scalar
      }
    }
    throw fault(.json, "an escape that is half of a surrogate pair", at: start)
  }

  mutating func hexadecimal() throws(Fault) -> UInt32 {
    var result: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(peek)).hexDigitValue else {
        throw unexpected("four hexadecimal digits")
      }
      result = result << 4 | UInt32(digit)
      position += 1
    }
    return result
  }
}

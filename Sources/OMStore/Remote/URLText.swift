/// Whether a byte is an ASCII letter or digit.
func isLetterOrDigit(_ byte: UInt8) -> Bool {
  (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
}

/// Whether a byte is a hexadecimal digit.
func isHexadecimal(_ byte: UInt8) -> Bool {
  (0x61...0x66).contains(byte | 0x20) || (0x30...0x39).contains(byte)
}

/// A text with `%41` in place of every byte that is no letter, digit or one of those to keep.
func percentEncoded(_ text: some StringProtocol, keeping kept: Set<UInt8>) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    if isLetterOrDigit(byte) || kept.contains(byte) {
      bytes.append(byte)
    } else {
      bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// The bytes of a text in which some stand as `%41`.
func percentDecoded(_ text: some StringProtocol) -> [UInt8] {
  let source = Array(text.utf8)
  var bytes: [UInt8] = []
  var place = 0
  while place < source.count {
    if source[place] == UInt8(ascii: "%"), place + 2 < source.count,
      isHexadecimal(source[place + 1]), isHexadecimal(source[place + 2]),
      let byte = UInt8(String(decoding: source[place + 1...place + 2], as: UTF8.self), radix: 16)
    {
      bytes.append(byte)
      place += 3
    } else {
      bytes.append(source[place])
      place += 1
    }
  }
  return bytes
}

/// The path that a URL of this machine names (RFC 8089); nil for everything else.
///
/// - Parameter uri: `file:///path`, or `file://localhost/path`, in which bytes may stand as `%20`.
/// - Returns: The path; nil also when it holds a byte 0, which no path does.
package func fileURLPath(_ uri: String) -> String? {
  let prefix = "file://"
  guard uri.prefix(prefix.count).lowercased() == prefix else { return nil }
  var path = uri.dropFirst(prefix.count)
  let host = "localhost"
  if path.prefix(host.count + 1).lowercased() == host + "/" { path = path.dropFirst(host.count) }
  let bytes = percentDecoded(path)
  return bytes.contains(0) ? nil : String(decoding: bytes, as: UTF8.self)
}

/// The bytes of a name in a listing, where `+` is a space, as in forms.
func listedName(_ text: String) -> [UInt8] {
  percentDecoded(
    String(decoding: text.utf8.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }, as: UTF8.self))
}

/// Bytes as text of 64 characters (RFC 4648).
func base64(_ bytes: [UInt8]) -> String {
  let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let part = bytes[start..<min(start + 3, bytes.count)]
    let word = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
    for index in 0..<4 {
      text.append(
        index <= part.count ? letters[word >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}

/// Text from a file, a path or a call, made safe to print in one line.
///
/// Control characters (a file name may hold a line break or a terminal's escape sequence) and marks
/// that turn the writing direction are shown as `\u{1B}`.
func printable(_ text: String) -> String {
  if !text.unicodeScalars.contains(where: isUnprintable) { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    if isUnprintable(scalar) {
      result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// Whether a character would change the terminal or the order of the text around it.
private func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
  default: false
  }
}

/// A word as a shell takes it: in quotes where it holds more than letters, digits and `._-/:`.
func shellWord(_ text: String) -> String {
  let plain = { (c: Character) in c.isASCII && (c.isLetter || c.isNumber || "._-/:".contains(c)) }
  if !text.isEmpty && text.allSatisfy(plain) { return text }
  return "'" + text.replacing("'", with: "'\\''") + "'"
}

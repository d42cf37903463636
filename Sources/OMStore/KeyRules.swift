package import OMJSON

/// Checks a path that a document names, before anything is done with it.
///
/// Such a path may lead down from the document and nowhere else, whatever the document says.
///
/// - Parameters:
///   - relative: The path, with `/` between its parts.
///   - subject: The document that holds the path, as messages should name it.
/// - Returns: The path, which is a key below the document.
/// - Throws: A fault of kind `path` that names the rule the path breaks.
package func checkedKey(_ relative: String, subject: String) throws(Fault) -> String {
  if let problem = keyProblem(relative.utf8) {
    throw Fault(
      .path, subject, "the path `\(escaped(relative))` \(problem)",
      hint: "paths in documents must lead down from the document, as in `labels/nuclei/0`")
  }
  return relative
}

/// Which rule a path breaks, or nil when it breaks none.
///
/// - Parameter path: The path in UTF-8.
/// - Returns: The end of a sentence about the path.
func keyProblem(_ path: some Collection<UInt8>) -> String? {
  if isPlain(path) { return nil }
  if path.isEmpty { return "is empty" }
  if path.first == UInt8(ascii: "/") { return "begins with `/`" }
  for part in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
    if part.isEmpty { return "has an empty part" }
    if part.elementsEqual(".".utf8) { return "has a part `.`" }
    if part.elementsEqual("..".utf8) { return "has a part `..`" }
    if part.count > 255 { return "has a part of \(part.count) bytes, the limit is 255" }
  }
  if path.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "has a control character" }
  if path.contains(UInt8(ascii: "\\")) { return "has a backslash" }
  if hasScheme(path) { return "begins like a URL" }
  return nil
}

/// Whether a path surely breaks no rule, which is so for nearly all of the many keys of an archive.
private func isPlain(_ path: some Collection<UInt8>) -> Bool {
  var count = 0
  for byte in path {
    if byte == UInt8(ascii: "/") {
      if count == 0 { return false }
      count = 0
      continue
    }
    if byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: ":") {
      return false
    }
    if count == 0 && byte == UInt8(ascii: ".") { return false }
    count += 1
    if count > 255 { return false }
  }
  return count > 0
}

/// Whether a path begins with letters and a colon, as URLs and Windows drives do.
private func hasScheme(_ path: some Collection<UInt8>) -> Bool {
  guard let colon = path.firstIndex(of: UInt8(ascii: ":")) else { return false }
  let isLetter = { (byte: UInt8) in (0x61...0x7A).contains(byte | 0x20) }
  let scheme = path[..<colon]
  guard let first = scheme.first, isLetter(first) else { return false }
  return scheme.allSatisfy {
    isLetter($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0)
  }
}

/// The text with control characters in a form that can be printed.
package func escaped(_ text: some StringProtocol) -> String {
  text.unicodeScalars.map { $0.escaped(asASCII: false) }.joined()
}

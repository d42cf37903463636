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
  if let problem = pathProblem(relative) {
    throw Fault(
      .path, subject, "the path `\(escaped(relative))` \(problem)",
      hint: "paths in documents must lead down from the document, as in `labels/nuclei/0`")
  }
  return relative
}

/// Which rule a path breaks, or nil when it breaks none.
private func pathProblem(_ path: String) -> String? {
  if path.isEmpty { return "is empty" }
  if path.utf8.first == UInt8(ascii: "/") { return "begins with `/`" }
  for part in path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
    if part.isEmpty { return "has an empty part" }
    if part.elementsEqual(".".utf8) { return "has a part `.`" }
    if part.elementsEqual("..".utf8) { return "has a part `..`" }
    if part.count > 255 { return "has a part of \(part.count) bytes, the limit is 255" }
  }
  if path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "has a control character" }
  if path.utf8.contains(UInt8(ascii: "\\")) { return "has a backslash" }
  if hasScheme(path) { return "begins like a URL" }
  return nil
}

/// Whether a path begins with letters and a colon, as URLs and Windows drives do.
private func hasScheme(_ path: String) -> Bool {
  guard let colon = path.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
  let scheme = path[..<colon]
  return scheme.first?.isLetter == true
    && scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
}

/// The text with control characters in a form that can be printed.
private func escaped(_ text: String) -> String {
  text.unicodeScalars.map { $0.escaped(asASCII: false) }.joined()
}

package import OMJSON

/// The elements of a small XML document, as S3 answers: their names, and the text of those without parts.
///
/// Attributes are passed over. Documents that define names of their own are refused, and so is what is nested
/// deeper than any such answer.
package struct XMLElements: Sendable {
  /// What comes next in a document.
  package typealias Item = XMLScanner.Item

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
    var scanner = try XMLScanner(
      bytes, subject: subject, noun: "the answer", deepest: Self.deepest, takesComments: false)
    var items: [Item] = []
    while let item = try scanner.next() {
      if case .text = item {
        guard case .start = items.last else { continue }
      }
      items.append(item)
    }
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
}

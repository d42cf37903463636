/// Help as sections of two columns: what to write, what it means.
struct HelpText {
  /// A heading with its rows.
  struct Section {
    /// The heading.
    let title: String
    /// What to write, and what it means.
    var rows: [(usage: String, text: String)]

    /// Makes a section.
    init(_ title: String, _ rows: [(usage: String, text: String)]) {
      self.title = title
      self.rows = rows
    }
  }

  /// The lines before the sections.
  var opening: [String] = []
  /// The sections.
  var sections: [Section] = []
  /// The lines after the sections.
  var closing: [String] = []

  /// The column in which explanations begin.
  private static let indent = 28

  /// The text for a width in characters; sections without rows are left out.
  func text(columns: Int) -> String {
    let width = min(max(columns, 60), 100)
    var lines = opening.flatMap { wrapped($0, width: width) }
    for section in sections where !section.rows.isEmpty {
      lines += ["", section.title]
      for row in section.rows { lines += rowLines(row, width: width) }
    }
    if !closing.isEmpty { lines += [""] + closing }
    return lines.map { $0 + "\n" }.joined()
  }

  private func rowLines(_ row: (usage: String, text: String), width: Int) -> [String] {
    let explanation = wrapped(row.text, width: width - Self.indent)
    let margin = String(repeating: " ", count: Self.indent)
    let start = "  " + row.usage
    if start.count + 2 > Self.indent || explanation.isEmpty {
      return [start] + explanation.map { margin + $0 }
    }
    let gap = String(repeating: " ", count: Self.indent - start.count)
    return [start + gap + explanation[0]] + explanation.dropFirst().map { margin + $0 }
  }
}

/// The text in lines of at most `width` characters; line breaks in it stay, long words are not cut.
func wrapped(_ text: String, width: Int) -> [String] {
  text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { paragraph -> [String] in
    var lines: [String] = []
    var line = String(paragraph.prefix { $0 == " " })
    let margin = line.count
    for word in paragraph.split(separator: " ") {
      if line.count > margin && line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.allSatisfy { $0 == " " } ? "" : " ") + word
    }
    return lines + [line]
  }
}

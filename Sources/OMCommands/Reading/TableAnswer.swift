import OMImage
import OMJSON
import OMTables
import OMTask

/// The beginning of a joined table, for a person.
struct TableAnswer: Answer {
  let lines: [String]
  let json = JSON.null

  /// The most rows that are shown.
  private static let shown = 10
  /// The widest field that is shown whole.
  private static let widest = 24

  /// Takes the first rows.
  ///
  /// - Parameters:
  ///   - join: The table.
  ///   - width: The width of the terminal in characters.
  /// - Throws: What reading the tables throws.
  init(_ join: TableJoin, columns width: Int) throws {
    var rows = [join.columns]
    try join.forEachTable { image, table, columns in
      let place = join.place(of: image)
      let texts = columns.map { $0.map(CSVText.texts) }
      for row in 0..<table.rowCount where rows.count <= TableAnswer.shown {
        rows.append(place + texts.map { TableAnswer.short($0?(row) ?? "") })
      }
    }
    var lines = TableAnswer.aligned(rows, width: width)
    if join.rowCount > TableAnswer.shown {
      lines.append("… \(counted(join.rowCount, "row")) in all; `--csv FILE` writes them")
    }
    self.lines = lines
  }

  private static func short(_ text: String) -> String {
    // Four decimals are enough to look at.
    if text.contains("."), let number = Double(text), 0.001...1e9 ~= abs(number) {
      return fixed(number, 4)
    }
    return text.count > widest ? text.prefix(widest - 1) + "…" : text
  }

  /// Columns side by side; as many as fit, and how many are left out.
  private static func aligned(_ rows: [[String]], width: Int) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var fitting = 0
    var used = 0
    while fitting < widths.count, fitting == 0 || used + widths[fitting] + 2 <= width {
      used += widths[fitting] + 2
      fitting += 1
    }
    var lines = rows.map { row in
      (0..<fitting).map { column in
        String(repeating: " ", count: widths[column] - row[column].count) + row[column]
      }.joined(separator: "  ")
    }
    if fitting < widths.count {
      let rest = rows[0][fitting...].joined(separator: ", ")
      lines.append("and \(counted(widths.count - fitting, "more column")): \(rest)")
    }
    return lines
  }
}

package import OMTask

/// A table as comma-separated text: a line of names, and a line for each row.
///
/// Numbers are written so that they are read again as they were, truth values as `true` and `false`,
/// texts in quotes where they need them, missing numbers as `nan`.
package struct CSVText {
  /// The text.
  package private(set) var bytes: [UInt8] = []

  /// Writes a table.
  package init(_ table: Table) {
    add(row: table.columns.map { Self.field($0.name) })
    let texts = table.columns.map(CSVText.texts)
    for row in 0..<table.rowCount { add(row: texts.map { $0(row) }) }
  }

  /// An empty text, to which rows are added.
  package init() {}

  /// Adds a row of fields that are written already.
  package mutating func add(row fields: [String]) {
    bytes += Array(fields.joined(separator: ",").utf8)
    bytes.append(0x0A)
  }

  /// Forgets the text so far.
  package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Makes the fields of a column by their row.
  package static func texts(_ column: TableColumn) -> (Int) -> String {
    switch column.values {
    case .int64(let values): { String(values[$0]) }
    case .uint64(let values): { String(values[$0]) }
    case .float64(let values): { values[$0].description }
    case .string(let values): { field(values[$0]) }
    case .bool(let values): { values[$0] ? "true" : "false" }
    }
  }

  /// A text as a field.
  package static func field(_ text: String) -> String {
    // A character may be a quote with a mark on it, so it is looked at scalar by scalar.
    let scalars = text.unicodeScalars
    let special = scalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
    let isBlank = scalars.first == " " || scalars.last == " "
    if !special && !isBlank { return text }
    let quote: Unicode.Scalar = "\""
    var quoted = String.UnicodeScalarView()
    quoted.append(quote)
    for scalar in scalars {
      if scalar == quote { quoted.append(quote) }
      quoted.append(scalar)
    }
    quoted.append(quote)
    return String(quoted)
  }
}

import OMJSON

/// Comma-separated text as columns: a line of names, then a line for each row (RFC 4180).
enum CSVColumns {
  /// Reads a table.
  ///
  /// - Throws: `metadata` for rows of different length, and for quotes that do not end.
  static func read(
    _ bytes: [UInt8], subject: String
  ) throws(Fault) -> [String: TableColumns.Values] {
    var rows = try rows(bytes, subject)
    guard !rows.isEmpty else { throw Fault(.metadata, subject, "the table is empty") }
    let names = rows.removeFirst()
    if let place = rows.firstIndex(where: { $0.count != names.count }) {
      throw Fault(
        .metadata, subject,
        "row \(place + 1) has \(rows[place].count) fields, there are \(names.count) columns")
    }
    var columns: [String: TableColumns.Values] = [:]
    for (column, name) in names.enumerated() {
      let texts = rows.map { $0[column] }
      let numbers = texts.compactMap { $0.isEmpty ? Double.nan : Double($0) }
      columns[name] = numbers.count == texts.count ? .numbers(numbers) : .texts(texts)
    }
    return columns
  }

  /// The fields of every line that is not empty.
  private static func rows(_ bytes: [UInt8], _ subject: String) throws(Fault) -> [[String]] {
    let (comma, quote, line, back) = (UInt8(0x2C), UInt8(0x22), UInt8(0x0A), UInt8(0x0D))
    var rows: [[String]] = []
    var row: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    func endField() {
      row.append(String(decoding: field, as: UTF8.self))
      field.removeAll()
    }
    func endRow() {
      endField()
      if row != [""] { rows.append(row) }
      row.removeAll()
    }
    while index < bytes.count {
      let byte = bytes[index]
      if isQuoted {
        if byte != quote {
          field.append(byte)
        } else if index + 1 < bytes.count, bytes[index + 1] == quote {
          field.append(quote)
          index += 1
        } else {
          isQuoted = false
        }
      } else if byte == quote {
        isQuoted = true
      } else if byte == comma {
        endField()
      } else if byte == line {
        endRow()
      } else if byte != back {
        field.append(byte)
      }
      index += 1
    }
    if isQuoted { throw Fault(.metadata, subject, "a quoted field does not end") }
    if !field.isEmpty || !row.isEmpty { endRow() }
    return rows
  }
}

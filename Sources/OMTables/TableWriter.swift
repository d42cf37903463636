import OMImage
package import OMJSON
package import OMTask

/// Writes the files of a table below its group; the group itself has documents of its own.
package struct TableWriter {
  /// 2 or 3.
  let zarrFormat: Int
  /// Takes a file: its key below the group, and its bytes.
  let put: (String, [UInt8]) throws(Fault) -> Void

  /// Makes a writer.
  package init(zarrFormat: Int, put: @escaping (String, [UInt8]) throws(Fault) -> Void) {
    self.zarrFormat = zarrFormat
    self.put = put
  }

  /// Writes a table.
  ///
  /// - Parameters:
  ///   - table: The table.
  ///   - backend: How it is stored.
  ///   - isIndexed: Whether the first column names the rows; otherwise AnnData, which needs such names, numbers
  ///     them from 0, as ngio does.
  /// - Throws: `limit` for a table that is too large for a JSON document, `unsupported` for one whose index
  ///   readers of CSV take for fractions, and what `put` throws.
  package func write(
    _ table: Table, as backend: TableBackend, isIndexed: Bool = true
  ) throws(Fault) {
    switch backend {
    case .anndata:
      let numbers = TableColumn(Self.unnamedIndex, .int64((0..<table.rowCount).map { Int64($0) }))
      try AnnDataWriter(zarrFormat: zarrFormat, put: put)
        .write(isIndexed ? table : Table([numbers] + table.columns))
    case .csv:
      if isIndexed, let label = table.firstUnsignedName {
        throw Fault(
          .unsupported, "table.csv",
          "label \(label) is above \(Int64.max), and readers of CSV make fractions of such "
            + "numbers",
          hint: "`--backend anndata` or `json` keeps it, and `omtask run filter-labels --relabel` "
            + "makes labels from 1")
      }
      try put("table.csv", CSVText(table).bytes)
    case .json: try writeJSON(table)
    }
  }

  /// What AnnData calls an index without a name.
  static let unnamedIndex = "_index"

  private func writeJSON(_ table: Table) throws(Fault) {
    var columns = JSONObject()
    for column in table.columns { columns[column.name] = .array(column.values.json) }
    for document in groupDocuments("table", zarrFormat: zarrFormat, attributes: columns) {
      let bytes = document.json.bytes()
      if bytes.count > JSON.maximumBytes {
        throw Fault(
          .limit, document.key,
          "the table takes \(bytes.count) bytes as JSON, readers take \(JSON.maximumBytes)",
          hint: "`--backend anndata` or `--backend csv` can hold it")
      }
      try put(document.key, bytes)
    }
  }
}

extension Table {
  /// The first name of a row that is a number without a sign which no number with a sign can hold; nil when
  /// there is none.
  package var firstUnsignedName: UInt64? {
    guard case .uint64(let names) = columns.first?.values else { return nil }
    return names.first { $0 > UInt64(Int64.max) }
  }
}

extension TableColumn.Values {
  /// The values as JSON; numbers that are not finite by the names that Python has for them.
  var json: [JSON] {
    switch self {
    case .int64(let values): values.map { .number(String($0)) }
    case .uint64(let values): values.map { .number(String($0)) }
    case .float64(let values): values.map { .number(numberText($0)) }
    case .string(let values): values.map { .string($0) }
    case .bool(let values): values.map { .bool($0) }
    }
  }
}

/// A number so that it is read again as it was.
private func numberText(_ value: Double) -> String {
  if value.isNaN { return "NaN" }
  if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
  return value.description
}

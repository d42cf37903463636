import OMCodecs
import OMGrid
package import OMJSON
package import OMStore
import OMZarr

/// The columns of a table that an image has, as ngio stores it: numbers where they are numbers.
package struct TableColumns: Sendable {
  /// What a column holds.
  package enum Values: Sendable, Equatable {
    /// Numbers; a missing one is NaN.
    case numbers([Double])
    /// Anything else.
    case texts([String])
  }

  /// The columns by their names.
  package private(set) var columns: [String: Values] = [:]

  /// Makes a table of columns.
  init(_ columns: [String: Values]) { self.columns = columns }

  /// Reads a table with the names of its back end: `csv`, `json` or `anndata`.
  ///
  /// - Parameters:
  ///   - store: Where the table is.
  ///   - path: The key of its group.
  /// - Throws: `missing` when there is no group, `unsupported` for another back end, `metadata` when
  ///   the table does not fit together; the subject is a key of the store.
  package static func read(_ store: any Store, path: String) throws(Fault) -> TableColumns {
    guard let group = try ZarrGroup.open(store, path: path) else {
      throw Fault(.missing, path, "there is no Zarr group")
    }
    // Older writers of AnnData name no back end.
    let backend = group.attributes["backend"]?.stringValue ?? "anndata"
    switch backend {
    case "csv", "experimental_csv_v1": return try readCSV(store, path)
    case "json", "experimental_json_v1": return try readJSON(store, path)
    case "anndata", "anndata_v1": return try AnnDataNumbers(store: store, path: path).read()
    default:
      throw Fault(
        .unsupported, path, "the table is stored as `\(backend)`",
        hint: "anndata, csv and json can be read; ngio's `add_table(…, backend=\"csv\")` makes one")
    }
  }

  private static func readCSV(_ store: any Store, _ path: String) throws(Fault) -> TableColumns {
    let key = joinedKey(path, "table.csv")
    guard let bytes = try store.get(key, limit: JSON.maximumBytes) else {
      throw Fault(.missing, key, "the table has no such file")
    }
    return TableColumns(try CSVColumns.read(bytes, subject: key))
  }

  private static func readJSON(_ store: any Store, _ path: String) throws(Fault) -> TableColumns {
    let key = joinedKey(path, "table")
    guard let group = try ZarrGroup.open(store, path: key) else {
      throw Fault(.missing, key, "the table has no such group")
    }
    var columns: [String: Values] = [:]
    for (name, value) in group.attributes.members {
      guard let entries = value.arrayValue else { continue }
      let numbers = entries.map { $0 == .null ? Double.nan : $0.doubleValue }
      let known = numbers.compactMap(\.self)
      columns[name] =
        known.count == entries.count
        ? .numbers(known) : .texts(entries.map { $0.stringValue ?? $0.text() })
    }
    return TableColumns(columns)
  }
}

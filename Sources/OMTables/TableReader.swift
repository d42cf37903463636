package import OMImage
package import OMJSON
import OMStore
package import OMTask
import OMZarr

/// Reads tables that ngio, Fractal's tasks or omtask wrote.
package struct TableReader {
  private let location: ImageLocation

  /// The largest CSV file that is read.
  private static let maximumCSV = 4 << 30

  /// Makes a reader of the tables of an image.
  package init(_ location: ImageLocation) { self.location = location }

  /// Reads a table.
  ///
  /// - Parameter name: The name below `tables`.
  /// - Returns: The table, its index first; nil when the image has none of that name.
  /// - Throws: `unsupported` for a back end or a column that cannot be read, what is wrong with the
  ///   documents, and what the store throws; faults name whole paths.
  package func read(_ name: String) throws(Fault) -> Table? {
    let store = location.store
    let path = joinedKey(location.path, "\(Shelf.tables.name)/\(name)")
    do throws(Fault) {
      guard let group = try ZarrGroup.open(store, path: path) else { return nil }
      let attributes = group.attributes
      let columns: [TableColumn]
      switch try Self.backend(attributes["backend"]?.stringValue, path) {
      case .anndata: columns = try AnnDataReader(store: store, path: path).columns()
      case .csv:
        let key = joinedKey(path, "table.csv")
        guard let bytes = try store.get(key, limit: Self.maximumCSV) else {
          throw Fault(.missing, key, "the table is a CSV table and its file is not there")
        }
        columns = try CSVReader.columns(bytes, subject: key)
      case .json:
        let key = joinedKey(path, "table")
        columns = try JSONColumns.columns(try self.attributes(of: key, group.zarrFormat), key)
      }
      return try arranged(columns, attributes, path)
    } catch { throw location.naming(error) }
  }

  /// The attributes of the group of a JSON table, which may hold numbers that are not finite.
  private func attributes(of group: String, _ zarrFormat: Int) throws(Fault) -> JSONObject {
    let key = joinedKey(group, zarrFormat == 2 ? ".zattrs" : "zarr.json")
    guard let bytes = try location.store.get(key, limit: JSON.maximumBytes) else {
      throw Fault(.missing, key, "the table is a JSON table and its group is not there")
    }
    let document = try JSON(parsing: bytes, subject: key, lenient: true)
    let attributes = zarrFormat == 2 ? document : document["attributes"] ?? .null
    return attributes.objectValue ?? JSONObject()
  }

  /// The back end by the names that it had in versions of ngio; AnnData where there is none.
  private static func backend(_ name: String?, _ path: String) throws(Fault) -> TableBackend {
    var short = Substring(name ?? TableBackend.anndata.rawValue)
    if short.hasPrefix("experimental_") { short = short.dropFirst("experimental_".count) }
    if short.hasSuffix("_v1") { short = short.dropLast(3) }
    if let backend = TableBackend(rawValue: String(short)) { return backend }
    throw Fault(
      .unsupported, path, "the table is stored as `\(name ?? "")`",
      facts: ["read are " + TableBackend.allCases.map(\.rawValue).joined(separator: ", ")],
      hint: "let ngio write it again with one of these back ends")
  }

  /// The columns with the index first, and the others in the order that the table names, if it does.
  private func arranged(
    _ columns: [TableColumn], _ attributes: JSONObject, _ path: String
  ) throws(Fault) -> Table {
    var columns = columns
    var indexCount = 1
    if attributes["index_key"]?.stringValue == nil, columns.count > 1,
      columns[0].name == TableWriter.unnamedIndex, columns[0].values.countsRows
    {
      // AnnData must have an index; one without a name that only counts is no column.
      columns.removeFirst()
      indexCount = 0
    }
    if let key = attributes["index_key"]?.stringValue {
      // AnnData keeps every index as texts.
      let place = columns.firstIndex { $0.name == key } ?? 0
      if !columns.isEmpty {
        var index = columns.remove(at: place)
        index.name = key
        // Numbers of objects that ngio must take as texts are numbers all the same.
        let isNumber =
          attributes["index_type"]?.stringValue == "int" || attributes["instance_key"] != nil
        if isNumber { index.values = index.values.asIntegers }
        columns.insert(index, at: 0)
      }
    }
    let named = ["metadata_columns", "categorical_columns", "measurement_columns"].flatMap {
      (attributes[$0]?.arrayValue ?? []).compactMap(\.stringValue)
    }
    let order = { (column: TableColumn) in named.firstIndex(of: column.name) ?? named.count }
    let rest = columns.dropFirst(indexCount).enumerated().sorted {
      (order($0.element), $0.offset) < (order($1.element), $1.offset)
    }
    let all = columns.prefix(indexCount) + rest.map(\.element)
    let counts = Set(all.map(\.values.count))
    if counts.count > 1 || Set(all.map(\.name)).count < all.count {
      throw Fault(
        .metadata, path, "the columns do not make a table: their names or lengths do not fit",
        facts: all.map { "\($0.name) has \($0.values.count) values" })
    }
    return Table(Array(all))
  }
}

extension TableColumn.Values {
  /// Whether the values are 0, 1, 2, … as texts.
  fileprivate var countsRows: Bool {
    guard case .string(let texts) = self else { return false }
    return texts.enumerated().allSatisfy { "\($0)" == $1 }
  }

  /// Texts and numbers as integers, where all of them are.
  fileprivate var asIntegers: TableColumn.Values {
    switch self {
    case .string(let texts):
      let signed = texts.compactMap { Int64($0) }
      if signed.count == texts.count { return .int64(signed) }
      let unsigned = texts.compactMap { UInt64($0) }
      return unsigned.count == texts.count ? .uint64(unsigned) : self
    case .float64(let values):
      let whole = values.compactMap { Int64(exactly: $0) }
      return whole.count == values.count ? .int64(whole) : self
    default: return self
    }
  }
}

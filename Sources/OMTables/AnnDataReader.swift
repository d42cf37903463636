import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMStore
import OMTask
import OMZarr

/// Reads the table in an AnnData group: `obs`, and the columns of a dense `X`.
struct AnnDataReader {
  let store: any Store
  let path: String
  private let context = CodecContext()

  init(store: any Store, path: String) {
    self.store = store
    self.path = path
  }

  /// The index of `obs`, its columns, and those of `X` under the names of `var`.
  func columns() throws(Fault) -> [TableColumn] {
    let obs = try frame("obs")
    var columns = [TableColumn(obs.index, try column("obs/\(obs.index)"))]
    for name in obs.columns { columns.append(TableColumn(name, try column("obs/\(name)"))) }
    let variables = try frame("var")
    guard case .string(let names) = try column("var/\(variables.index)"), !names.isEmpty else {
      return columns
    }
    let numbers = try matrix(rows: columns[0].values.count, columns: names.count)
    return columns + zip(names, numbers).map { TableColumn($0, .float64($1)) }
  }

  /// The names of the index and the columns of a data frame.
  private func frame(_ name: String) throws(Fault) -> (index: String, columns: [String]) {
    let key = joinedKey(path, name)
    guard let group = try ZarrGroup.open(store, path: key) else {
      throw Fault(.metadata, key, "there is no group of a data frame, so this is no AnnData table")
    }
    let attributes = group.attributes
    try expect(["dataframe"], attributes, key)
    let columns = try attributes.required("column-order", .strings, in: key)
    let index = try attributes.required("_index", .string, in: key)
    for column in columns + [index] { _ = try checkedKey(column, subject: key) }
    return (index, columns)
  }

  private func expect(
    _ types: [String], _ attributes: JSONObject, _ key: String
  ) throws(Fault) {
    let found = attributes["encoding-type"]?.stringValue ?? ""
    if types.contains(found) { return }
    throw Fault(
      .unsupported, key, "the encoding `\(found)` of AnnData cannot be read here",
      facts: ["read are \(types.joined(separator: ", "))"],
      hint: "ngio can write the table again with `backend=\"csv\"`")
  }

  // MARK: - Columns

  private func column(_ name: String) throws(Fault) -> TableColumn.Values {
    let key = joinedKey(path, name)
    if let group = try ZarrGroup.open(store, path: key) {
      switch group.attributes["encoding-type"]?.stringValue {
      case "categorical": return try categories(name)
      case "nullable-integer", "nullable-boolean", "nullable-string-array":
        return try nullable(name)
      default:
        try expect(
          [
            "array", "string-array", "categorical", "nullable-integer", "nullable-boolean",
            "nullable-string-array",
          ], group.attributes, key)
      }
    }
    let attributes = try attributes(key)
    if attributes["encoding-type"]?.stringValue == "string-array" {
      return .string(try TextArray(store, path: key).read(using: context))
    }
    try expect(["array", "string-array"], attributes, key)
    if attributes["categories"] != nil {
      throw Fault(
        .unsupported, key,
        "the column keeps its categories elsewhere, as old versions of AnnData did",
        hint: "read and write the table with a newer version of AnnData")
    }
    return try numbers(key).values
  }

  /// The attributes of an array, of which only those can be asked that hold voxels.
  private func attributes(_ key: String) throws(Fault) -> JSONObject {
    let document = joinedKey(key, "zarr.json")
    if let bytes = try store.get(document, limit: JSON.maximumBytes) {
      return try JSON(parsing: bytes, subject: document)["attributes"]?.objectValue ?? JSONObject()
    }
    let v2 = joinedKey(key, ".zattrs")
    guard let bytes = try store.get(v2, limit: JSON.maximumBytes) else { return JSONObject() }
    return try JSON(parsing: bytes, subject: v2).objectValue ?? JSONObject()
  }

  /// Texts by their numbers in a list; a missing one is empty.
  private func categories(_ name: String) throws(Fault) -> TableColumn.Values {
    let codes = try numbers(joinedKey(path, "\(name)/codes")).integers
    let list: [String] = try column("\(name)/categories").texts
    return .string(
      try codes.map { (code) throws(Fault) in
        if code < 0 { return "" }
        guard code < list.count else {
          throw Fault(
            .metadata, joinedKey(path, name), "names category \(code), there are \(list.count)")
        }
        return list[Int(code)]
      })
  }

  /// Values with a list of those that are missing.
  private func nullable(_ name: String) throws(Fault) -> TableColumn.Values {
    let values = try column("\(name)/values")
    let isMissing = try numbers(joinedKey(path, "\(name)/mask")).integers.map { $0 != 0 }
    if !isMissing.contains(true) { return values }
    let texts = values.texts
    switch values {
    case .string:
      return .string(zip(texts, isMissing).map { $1 ? "" : $0 })
    case .bool:
      return .string(zip(texts, isMissing).map { $1 ? "" : $0 })
    case .int64, .uint64, .float64:
      return .float64(zip(texts, isMissing).map { $1 ? .nan : Double($0) ?? .nan })
    }
  }

  // MARK: - Numbers

  private func matrix(rows: Int, columns: Int) throws(Fault) -> [[Double]] {
    let key = joinedKey(path, "X")
    if let group = try ZarrGroup.open(store, path: key) {
      try expect(["array"], group.attributes, key)
    }
    let found = try numbers(key)
    guard found.shape == [rows, columns] else {
      throw Fault(
        .metadata, key, "is of shape \(found.shape), `obs` and `var` name \([rows, columns])")
    }
    let values = found.doubles
    return (0..<columns).map { column in
      (0..<rows).map { values[$0 * columns + column] }
    }
  }

  private func numbers(_ key: String) throws(Fault) -> NumberArray {
    try NumberArray(store, path: key, context)
  }
}

import OMJSON
import OMTask

/// Reads the columns of a JSON table: lists of values under their names.
enum JSONColumns {
  /// The columns, each of the narrowest type that holds all its values.
  ///
  /// - Throws: `metadata` for what is no list, `unsupported` for values that are no table's.
  static func columns(_ object: JSONObject, _ subject: String) throws(Fault) -> [TableColumn] {
    var columns: [TableColumn] = []
    for (name, value) in object.members {
      guard let list = value.arrayValue else {
        throw Fault(.metadata, subject, "`\(name)` is \(value.kindName), expected a list of values")
      }
      guard let values = values(list) else {
        throw Fault(
          .unsupported, subject, "`\(name)` mixes values that are no numbers, texts or truth values"
        )
      }
      columns.append(TableColumn(name, values))
    }
    return columns
  }

  private static func values(_ list: [JSON]) -> TableColumn.Values? {
    if list.isEmpty { return .string([]) }
    let truths = list.compactMap(\.boolValue)
    if truths.count == list.count { return .bool(truths) }
    let numbers = list.compactMap { json -> String? in
      if case .number(let text) = json { text } else { json == .null ? "nan" : nil }
    }
    if numbers.count == list.count {
      let signed = numbers.compactMap { Int64($0) }
      if signed.count == list.count { return .int64(signed) }
      let unsigned = numbers.compactMap { UInt64($0) }
      if unsigned.count == list.count { return .uint64(unsigned) }
      return .float64(numbers.map { Double($0) ?? .nan })
    }
    let texts = list.compactMap { $0 == .null ? "" : $0.stringValue }
    return texts.count == list.count ? .string(texts) : nil
  }
}

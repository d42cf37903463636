import OMJSON
import OMTask

/// Reads comma-separated text: a line of names, and a line for each row; texts may stand in quotes.
enum CSVReader {
  /// The columns, each of the narrowest type that holds all its fields.
  ///
  /// - Throws: `metadata` for rows of different lengths or quotes that do not end.
  static func columns(_ bytes: [UInt8], subject: String) throws(Fault) -> [TableColumn] {
    var rows = try rows(bytes, subject)
    if rows.isEmpty {
      throw Fault(.metadata, subject, "the file is empty, expected a line of names")
    }
    let names = rows.removeFirst()
    for (number, row) in rows.enumerated() where row.count != names.count {
      throw Fault(
        .metadata, subject,
        "row \(number + 1) has \(row.count) fields, there are "
          + "\(names.count) columns")
    }
    return names.enumerated().map { place, name in
      TableColumn(name, values(rows.map { $0[place] }))
    }
  }

  private static func rows(_ bytes: [UInt8], _ subject: String) throws(Fault) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field: [UInt8] = []
    var (isQuoted, hasContent) = (false, false)
    var place = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    func endField() {
      row.append(String(decoding: field, as: UTF8.self))
      field = []
    }
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      if isQuoted {
        if byte != UInt8(ascii: "\"") {
          field.append(byte)
        } else if place < bytes.count, bytes[place] == byte {
          field.append(byte)
          place += 1
        } else {
          isQuoted = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): (isQuoted, hasContent) = (true, true)
      case UInt8(ascii: ","):
        endField()
        hasContent = true
      case 0x0D where place < bytes.count && bytes[place] == 0x0A: break
      case 0x0A:
        if hasContent || !field.isEmpty {
          endField()
          rows.append(row)
        }
        (row, hasContent) = ([], false)
      default: field.append(byte)
      }
    }
    if isQuoted { throw Fault(.metadata, subject, "a text in quotes does not end") }
    if hasContent || !field.isEmpty {
      endField()
      rows.append(row)
    }
    return rows
  }

  /// The fields as integers, numbers, truth values or texts.
  private static func values(_ fields: [String]) -> TableColumn.Values {
    if fields.isEmpty { return .string([]) }
    let signed = fields.compactMap { Int64($0) }
    if signed.count == fields.count { return .int64(signed) }
    let unsigned = fields.compactMap { UInt64($0) }
    if unsigned.count == fields.count { return .uint64(unsigned) }
    // A missing number is an empty field.
    let numbers = fields.compactMap { $0.isEmpty ? Double.nan : Double($0) }
    if numbers.count == fields.count, fields.contains(where: { !$0.isEmpty }) {
      return .float64(numbers)
    }
    let truths = fields.compactMap { ["true": true, "false": false][$0.lowercased()] }
    return truths.count == fields.count ? .bool(truths) : .string(fields)
  }
}

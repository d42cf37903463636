import OMGrid
import OMJSON
import OMManifest
import OMTask

/// A program that finds something in each region, as the engine sees it: a finder like any other.
struct ExternalFinder: RegionFinder {
  /// How the program is given regions.
  let kernel: ExternalKernel
  /// Reads what it answers.
  let reader: PartialReader

  var halo: Vector3 { kernel.halo }
  var reach: TileReach { kernel.reach }

  /// What the program and the voxels take, and an answer: a number of two bytes is one of 32 in a tree.
  func scratchByteCount(_ tile: Vector3) -> Int {
    kernel.scratchByteCount(tile) + 14 * PartialReader.longestLine
  }

  func find(
    in tile: RegionTile, core: (origin: Vector3, shape: Vector3), scratch: TileScratch
  ) throws(Fault) -> [FoundRows] {
    try kernel.find(in: tile, core: core, sign: scratch.sign) { (answer, origin) throws(Fault) in
      FoundRows(time: tile.time ?? 0, origin: origin, columns: try reader.columns(of: answer))
    }
  }
}

/// Reads the values of declared columns from the answer of a program.
struct PartialReader: Sendable {
  let traits: PartialTraits
  let program: String

  /// Bytes of an answer at most.
  static let longestLine = 8 << 20

  /// The member of an answer that holds the columns.
  static let key = "partial"

  init(_ traits: PartialTraits, program: String) {
    self.traits = traits
    self.program = program
  }

  /// The values in the order of the declared columns.
  ///
  /// - Throws: A fault of kind `program` that names the column, with what is wrong about it.
  func columns(of answer: JSON) throws(Fault) -> [TableColumn.Values] {
    let names = traits.columns.map(\.name)
    guard let given = answer[Self.key]?.objectValue else {
      throw fault(
        "`\(program)` answered \(answer[Self.key].map { "`partial` \($0.excerpt)" } ?? "no `partial`"), "
          + "expected an object of the columns \(names.joined(separator: ", "))")
    }
    if let stray = given.keys.first(where: { !names.contains($0) }) {
      throw fault(
        "`\(program)` answered a column `\(stray)`, declared are \(names.joined(separator: ", "))")
    }
    var columns: [TableColumn.Values] = []
    for column in traits.columns {
      guard let value = given[column.name] else {
        throw fault("`\(program)` answered no column `\(column.name)`, which is declared")
      }
      columns.append(try values(list(value, column), column))
      if columns[0].count != columns[columns.count - 1].count {
        throw fault(
          "`\(program)` answered \(columns[columns.count - 1].count) values of `\(column.name)` and "
            + "\(columns[0].count) of `\(names[0])`, a row has one of each")
      }
    }
    if traits.kind == .histogram, case .int64(let counts) = columns[columns.count - 1],
      let count = counts.first(where: { $0 < 0 })
    {
      throw fault("`\(program)` answered the count \(count), which is less than 0")
    }
    return columns
  }

  /// The values of a column: one number of a sum, otherwise a list.
  private func list(
    _ value: JSON, _ column: PartialTraits.Column
  ) throws(Fault) -> [JSON] {
    if traits.kind == .sum { return [value] }
    if let list = value.arrayValue { return list }
    throw fault(
      "`\(program)` answered \(value.excerpt) as column `\(column.name)`, expected a list of values"
    )
  }

  private func values(
    _ list: [JSON], _ column: PartialTraits.Column
  ) throws(Fault) -> TableColumn.Values {
    switch column.type {
    case .int64:
      return .int64(
        try all(list, column, "whole numbers from -2^63 to 2^63 - 1") { json in
          json.intValue.map { Int64($0) }
        })
    case .bool: return .bool(try all(list, column, "true or false") { $0.boolValue })
    case .string: return .string(try all(list, column, "texts") { $0.stringValue })
    case .float64:
      let what = column.isNullable ? "finite numbers or null" : "finite numbers"
      return .float64(
        try all(list, column, what) { json in
          if json == .null { return column.isNullable ? .nan : nil }
          guard case .number(let text) = json, let number = Double(text) else { return nil }
          return number.isFinite || number.isNaN && column.isNullable ? number : nil
        })
    }
  }

  private func all<Value>(
    _ list: [JSON], _ column: PartialTraits.Column, _ expected: String,
    _ read: (JSON) -> Value?
  ) throws(Fault) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(list.count)
    for (row, json) in list.enumerated() {
      guard let value = read(json) else {
        let place = traits.kind == .sum ? "" : " in row \(row)"
        throw fault(
          "`\(program)` answered \(json.excerpt)\(place) of column `\(column.name)`, which is of type "
            + "\(column.type.rawValue): expected \(expected)")
      }
      values.append(value)
    }
    return values
  }

  private func fault(_ message: String) -> Fault {
    Fault(.program, "", message, hint: "the answers are described in docs/external-tasks.md")
  }
}

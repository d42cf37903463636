import OMGrid
public import OMJSON
public import OMManifest

/// What regions found, merged to one table.
///
/// Merging is exact, so the order of merging cannot matter: rows carry their place, whole numbers and counts
/// are added as integers, floating-point numbers without any rounding but the last.
public struct PartialTable: Sendable {
  /// How the parts become one.
  public let traits: PartialTraits
  /// The pieces of work whose parts are in it.
  public var pieces = 0
  /// The parts; those of a histogram are joined to one for each time point by `parts`.
  private var rows: [FoundRows] = []
  private var counts: [Int: [BinKey: Int64]] = [:]

  /// Makes an empty one.
  public init(_ traits: PartialTraits) { self.traits = traits }

  /// Bytes of memory that it takes.
  public private(set) var byteCount = 0

  /// How many rows or bins there are.
  public var rowCount: Int {
    rows.reduce(0) { $0 + $1.rowCount } + counts.values.reduce(0) { $0 + $1.count }
  }

  /// Adds what was found in a piece of work.
  public mutating func add(_ found: [FoundRows]) throws(Fault) {
    for part in found { try add(part) }
    pieces += 1
  }

  /// Adds what was found in a box.
  ///
  /// - Throws: `limit` when a count grows beyond 2^63 - 1.
  public mutating func add(_ found: FoundRows) throws(Fault) {
    guard traits.kind == .histogram else {
      rows.append(found)
      byteCount += found.byteCount
      return
    }
    guard found.columns.count == 2, case .int64(let numbers) = found.columns[1] else {
      throw Fault(.internal, "", "a histogram has no counts")
    }
    var known = counts.removeValue(forKey: found.time) ?? [:]
    for (row, number) in numbers.enumerated() {
      let key = BinKey(found.columns[0], row)
      let (sum, overflow) = known[key, default: 0].addingReportingOverflow(number)
      if overflow {
        throw Fault(.limit, "", "the bin \(key.text) counts more than 2^63 - 1")
      }
      if known.updateValue(sum, forKey: key) == nil { byteCount += key.byteCount }
    }
    counts[found.time] = known
  }

  /// What is in it, as parts that `add` takes.
  public var parts: [FoundRows] {
    guard traits.kind == .histogram else { return rows }
    return counts.sorted { $0.key < $1.key }.map { time, bins in
      let sorted = bins.sorted { $0.key < $1.key }
      return FoundRows(
        time: time, origin: .init(0, 0, 0),
        columns: [
          BinKey.values(sorted.map(\.key), traits.columns[0].type), .int64(sorted.map(\.value)),
        ])
    }
  }

  /// The table: of a time series with a column for the time points.
  ///
  /// - Parameter hasTime: Whether the image has a time axis.
  /// - Returns: The columns in their order.
  /// - Throws: `limit` for a sum that its type does not hold.
  public func table(hasTime: Bool) throws(Fault) -> Table {
    let parts: [FoundRows]
    switch traits.kind {
    case .table: parts = rows.sorted { $0.isBefore($1) }
    case .histogram: parts = self.parts
    case .sum: parts = try sums()
    }
    var values = traits.columns.indices.map { number in
      TableColumn.Values(joining: parts.map { $0.columns[number] }, traits.columns[number].type)
    }
    var times = parts.flatMap { part in
      [Int64](repeating: Int64(part.time), count: part.rowCount)
    }
    let keys = traits.sortBy.compactMap { name in
      traits.columns.firstIndex { $0.name == name }.map { values[$0] }
    }
    if !keys.isEmpty {
      let order = times.indices.sorted { one, other in
        if times[one] != times[other] { return times[one] < times[other] }
        for key in keys {
          if key.isBefore(one, other) { return true }
          if key.isBefore(other, one) { return false }
        }
        return one < other
      }
      values = values.map { $0.inOrder(order) }
      times = order.map { times[$0] }
    }
    var columns = zip(traits.columns, values).map { TableColumn($0.name, $1) }
    // The first column names the rows.
    if traits.label != nil,
      let place = columns.firstIndex(where: { $0.name == PartialTraits.labelColumn })
    {
      columns.insert(columns.remove(at: place), at: 0)
    }
    if hasTime {
      columns.insert(
        TableColumn(PartialTraits.timeColumn, .int64(times)), at: traits.label == nil ? 0 : 1)
    }
    return Table(columns)
  }

  /// One row for each time point; one at all where nothing was looked at.
  private func sums() throws(Fault) -> [FoundRows] {
    let byTime = Dictionary(grouping: rows, by: \.time)
    var sums: [FoundRows] = []
    for (time, parts) in byTime.sorted(by: { $0.key < $1.key }) {
      var columns: [TableColumn.Values] = []
      for (number, column) in traits.columns.enumerated() {
        columns.append(try sum(parts.map { $0.columns[number] }, column))
      }
      sums.append(FoundRows(time: time, origin: .init(0, 0, 0), columns: columns))
    }
    return sums
  }

  private func sum(
    _ parts: [TableColumn.Values], _ column: PartialTraits.Column
  ) throws(Fault) -> TableColumn.Values {
    guard column.type == .float64 else {
      var total: Int128 = 0
      for case .int64(let numbers) in parts { for number in numbers { total += Int128(number) } }
      guard let value = Int64(exactly: total) else {
        throw Fault(
          .limit, "", "the sum of `\(column.name)` is \(total), which int64 does not hold",
          hint: "declare the column as float64")
      }
      return .int64([value])
    }
    var total = ExactFloatSum()
    for case .float64(let numbers) in parts {
      for number in numbers { total.add(number, times: 1) }
    }
    let value = total.rounded
    if !value.isFinite {
      throw Fault(
        .limit, "", "the sum of `\(column.name)` is larger than any float64")
    }
    return .float64([value])
  }
}

extension FoundRows {
  /// Whether these rows stand before others: by time point, then by z, y and x.
  fileprivate func isBefore(_ other: FoundRows) -> Bool {
    (time, origin.z, origin.y, origin.x)
      < (other.time, other.origin.z, other.origin.y, other.origin.x)
  }
}

/// The bin of a histogram.
private enum BinKey: Hashable, Comparable {
  case number(Int64)
  /// The bits of a number, so that they sort as numbers do.
  case fraction(Int64)
  /// The bytes of a text: two texts are the same only when these are.
  case text([UInt8])

  init(_ values: TableColumn.Values, _ row: Int) {
    switch values {
    case .int64(let numbers): self = .number(numbers[row])
    case .uint64(let numbers): self = .number(Int64(bitPattern: numbers[row]))
    case .bool(let truths): self = .number(truths[row] ? 1 : 0)
    case .float64(let numbers):
      // -0 is the same bin as 0.
      let bits = Int64(bitPattern: (numbers[row] == 0 ? 0 : numbers[row]).bitPattern)
      self = .fraction(bits < 0 ? bits ^ .max : bits)
    case .string(let texts): self = .text(Array(texts[row].utf8))
    }
  }

  static func < (one: BinKey, other: BinKey) -> Bool {
    switch (one, other) {
    case (.number(let one), .number(let other)), (.fraction(let one), .fraction(let other)):
      one < other
    case (.text(let one), .text(let other)): one.lexicographicallyPrecedes(other)
    default: false
    }
  }

  /// Bytes of memory of a bin with its count.
  var byteCount: Int { if case .text(let bytes) = self { 96 + bytes.count } else { 48 } }

  var fraction: Double {
    guard case .fraction(let bits) = self else { return 0 }
    return Double(bitPattern: UInt64(bitPattern: bits < 0 ? bits ^ .max : bits))
  }

  var text: String {
    switch self {
    case .number(let number): "\(number)"
    case .fraction: "\(fraction)"
    case .text(let bytes): "`\(String(decoding: bytes, as: UTF8.self))`"
    }
  }

  static func values(
    _ keys: [BinKey], _ type: PartialTraits.ColumnType
  ) -> TableColumn.Values {
    switch type {
    case .float64: .float64(keys.map(\.fraction))
    case .string:
      .string(keys.map(\.plainText))
    case .int64, .bool: .int64(keys.map { if case .number(let number) = $0 { number } else { 0 } })
    }
  }

  private var plainText: String {
    guard case .text(let bytes) = self else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension TableColumn.Values {
  /// The values of some columns of one type one after the other.
  fileprivate init(joining parts: [TableColumn.Values], _ type: PartialTraits.ColumnType) {
    switch type {
    case .int64:
      var all: [Int64] = []
      for case .int64(let values) in parts { all += values }
      self = .int64(all)
    case .float64:
      var all: [Double] = []
      for case .float64(let values) in parts { all += values }
      self = .float64(all)
    case .string:
      var all: [String] = []
      for case .string(let values) in parts { all += values }
      self = .string(all)
    case .bool:
      var all: [Bool] = []
      for case .bool(let values) in parts { all += values }
      self = .bool(all)
    }
  }

  /// Whether the value of a row is smaller than that of another; missing numbers come last.
  fileprivate func isBefore(_ one: Int, _ other: Int) -> Bool {
    switch self {
    case .int64(let values): values[one] < values[other]
    case .uint64(let values): values[one] < values[other]
    case .float64(let values):
      values[one] < values[other] || !values[one].isNaN && values[other].isNaN
    case .string(let values): values[one].utf8.lexicographicallyPrecedes(values[other].utf8)
    case .bool(let values): !values[one] && values[other]
    }
  }

  fileprivate func inOrder(_ order: [Int]) -> TableColumn.Values {
    switch self {
    case .int64(let values): .int64(order.map { values[$0] })
    case .uint64(let values): .uint64(order.map { values[$0] })
    case .float64(let values): .float64(order.map { values[$0] })
    case .string(let values): .string(order.map { values[$0] })
    case .bool(let values): .bool(order.map { values[$0] })
    }
  }
}

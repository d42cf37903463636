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

import OMManifest

extension TableColumn.Values {
  /// The values of some columns of one type one after the other.
  init(joining parts: [TableColumn.Values], _ type: PartialTraits.ColumnType) {
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
  func isBefore(_ one: Int, _ other: Int) -> Bool {
    switch self {
    case .int64(let values): values[one] < values[other]
    case .uint64(let values): values[one] < values[other]
    case .float64(let values):
      values[one] < values[other] || !values[one].isNaN && values[other].isNaN
    case .string(let values): values[one].utf8.lexicographicallyPrecedes(values[other].utf8)
    case .bool(let values): !values[one] && values[other]
    }
  }

  func inOrder(_ order: [Int]) -> TableColumn.Values {
    switch self {
    case .int64(let values): .int64(order.map { values[$0] })
    case .uint64(let values): .uint64(order.map { values[$0] })
    case .float64(let values): .float64(order.map { values[$0] })
    case .string(let values): .string(order.map { values[$0] })
    case .bool(let values): .bool(order.map { values[$0] })
    }
  }
}

import OMJSON

extension Inspector {
  /// The rows of a matrix that stands in a transformation, or in an array that it names.
  ///
  /// - Returns: The rows; nil when they are elsewhere or no matrix.
  private mutating func matrix(_ key: String, _ item: Spot, _ rule: Rule) -> [[Double]]? {
    if let path = item["path"], item[key] == nil {
      if path.value.stringValue == nil {
        report(.kindParameters, path, "`path` is \(path.value.excerpt), expected a string")
      }
      return nil
    }
    if item["path"] != nil {
      report(.kindParameters, item, "there are `\(key)` and `path`, expected one of them")
    }
    guard required(key, .array, in: item, .kindParameters) != nil, let spot = item[key] else {
      return nil
    }
    let shape = JSONShape<[Double]>.vector
    let rows = spot.elements.compactMap { shape.value($0.value) }
    if rows.count == spot.elements.count { return rows }
    report(rule, spot, "`\(key)` is \(spot.value.excerpt), expected a list of lists of numbers")
    return nil
  }

  mutating func affine(_ item: Spot, _ input: Int?) -> Int? {
    guard let rows = matrix("affine", item, .kindParameters) else { return nil }
    let width = input.map { $0 + 1 } ?? rows.first?.count ?? 0
    if rows.isEmpty || rows.contains(where: { $0.count != width }) {
      let found = rows.map { "\($0.count)" }.joined(separator: ", ")
      report(.kindAffine, item, "the rows have \(found) numbers, expected \(width) in each")
    }
    return rows.count
  }

  mutating func rotation(_ item: Spot, _ input: Int?) -> Int? {
    guard let rows = matrix("rotation", item, .kindRotation) else { return nil }
    guard (2...5).contains(rows.count), rows.allSatisfy({ $0.count == rows.count })
    else {
      report(.kindRotation, item, "the matrix is not square with 2 to 5 rows")
      return nil
    }
    length("rotation", rows.count, item, rank: input)
    if !isRotation(rows) {
      report(.kindRotationDeterminant, item, "the matrix does more than turn")
    }
    return rows.count
  }

  /// Whether a matrix times its transpose is 1, and its determinant 1, up to rounded decimals.
  private func isRotation(_ rows: [[Double]]) -> Bool {
    for (i, one) in rows.enumerated() {
      for (j, other) in rows.enumerated() {
        let product = zip(one, other).reduce(0) { $0 + $1.0 * $1.1 }
        if !((product - (i == j ? 1 : 0)).magnitude < 1e-3) { return false }
      }
    }
    return (determinant(rows) - 1).magnitude < 1e-2
  }

  /// By elimination with pivots; matrices of documents have few rows.
  private func determinant(_ rows: [[Double]]) -> Double {
    var rows = rows
    var result = 1.0
    for column in rows.indices {
      guard
        let pivot = rows.indices[column...].max(by: {
          rows[$0][column].magnitude < rows[$1][column].magnitude
        }), rows[pivot][column] != 0
      else { return 0 }
      if pivot != column {
        rows.swapAt(pivot, column)
        result = -result
      }
      result *= rows[column][column]
      for row in rows.indices[(column + 1)...] {
        let factor = rows[row][column] / rows[column][column]
        for place in rows.indices { rows[row][place] -= factor * rows[column][place] }
      }
    }
    return result
  }

  mutating func mapAxis(_ item: Spot, _ input: Int?) -> Int? {
    guard let axes = required("mapAxis", .indices, in: item, .kindMapAxis),
      let spot = item["mapAxis"]
    else { return nil }
    let isBounded = version < .v0_9
    if Set(axes).count != axes.count
      || isBounded && (!(2...5).contains(axes.count) || axes.contains { $0 > 4 })
    {
      report(.kindMapAxis, spot, "`mapAxis` is \(spot.value.excerpt)")
    } else if axes.sorted() != Array(0..<(input ?? axes.count)) {
      report(
        .kindMapAxisPermutation, spot,
        "`mapAxis` is \(spot.value.excerpt), there are \(input ?? axes.count) axes")
    }
    return axes.count
  }

  mutating func projectAxis(_ item: Spot, _ input: Int?) -> Int? {
    let keys = ["droppedInputs", "createdOutputs"]
    if keys.allSatisfy({ item[$0] == nil }) {
      report(
        .kindProjectAxis, item, "`droppedInputs` and `createdOutputs` are missing", isMissing: true)
    }
    let lists = keys.map { key -> [Int] in
      guard let axes = optional(key, .indices, in: item, .kindProjectAxis), let spot = item[key]
      else { return [] }
      if Set(axes).count != axes.count || axes.isEmpty
        || version < .v0_9 && (axes.count > 3 || axes.contains { $0 > 4 })
      {
        report(.kindProjectAxis, spot, "`\(key)` is \(spot.value.excerpt)")
      }
      return axes
    }
    guard let input else { return nil }
    let made = input - lists[0].count + lists[1].count
    if lists[0].contains(where: { $0 >= input }) || lists[1].contains(where: { $0 >= made }) {
      report(
        .kindDimensions, item,
        "an axis is dropped or made that is not there, of \(input) and \(made)")
    }
    return made
  }
}

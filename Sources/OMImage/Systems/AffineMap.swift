import OMJSON

/// A transformation of coordinates as a matrix: a row for each output, with a number for each input and a
/// constant behind them.
package struct AffineMap: Sendable, Equatable {
  /// The rows.
  package let rows: [[Double]]
  /// The number of inputs.
  package let inputs: Int

  /// Makes the map of a size of voxels and of where the first one lies.
  init(scale: [Double], translation: [Double]? = nil) {
    inputs = scale.count
    rows = scale.indices.map { place in
      var row = [Double](repeating: 0, count: scale.count + 1)
      row[place] = scale[place]
      row[scale.count] = translation?[place] ?? 0
      return row
    }
  }

  private init(rows: [[Double]], inputs: Int) {
    self.rows = rows
    self.inputs = inputs
  }

  /// The map of a transformation of OME-Zarr 0.6.
  ///
  /// There is none of kinds that are no matrix, of parameters in arrays, and of wrong parameters.
  ///
  /// - Parameters:
  ///   - step: The transformation.
  ///   - inputs: The number of its inputs; nil when only the transformation can tell.
  ///   - outputs: The number of its outputs; nil when only the transformation can tell.
  init?(_ step: JSONObject, inputs: Int?, outputs: Int?) {
    guard let inputs = inputs ?? Self.inputs(of: step) ?? outputs, inputs <= Self.most,
      let map = Self.map(step, inputs, outputs),
      outputs == nil || outputs == map.rows.count,
      map.rows.allSatisfy({ $0.allSatisfy(\.isFinite) })
    else { return nil }
    self = map
  }

  /// No image has more axes; what claims to is not worked out.
  private static var most: Int { 32 }

  /// This map and then another one; nil when they do not fit.
  func then(_ next: AffineMap) -> AffineMap? {
    guard next.inputs == rows.count else { return nil }
    return AffineMap(
      rows: next.rows.map { row in
        var result = [Double](repeating: 0, count: inputs + 1)
        for (factor, inner) in zip(row, rows) where factor != 0 {
          for place in result.indices { result[place] += factor * inner[place] }
        }
        result[inputs] += row[next.inputs]
        return result
      }, inputs: inputs)
  }

  /// The map of the way back; nil where several inputs have one output, or some outputs no input.
  var inverse: AffineMap? {
    guard rows.count == inputs else { return nil }
    if let diagonal {
      return diagonal.scale.allSatisfy { $0 != 0 }
        ? AffineMap(
          scale: diagonal.scale.map { 1 / $0 },
          translation: zip(diagonal.translation, diagonal.scale).map { 0 - $0 / $1 }
        ).finite : nil
    }
    return solved()?.finite
  }

  private var finite: AffineMap? {
    rows.allSatisfy { $0.allSatisfy(\.isFinite) } ? self : nil
  }

  /// Solves the equations of the map for its inputs, by elimination with the largest number first.
  private func solved() -> AffineMap? {
    // Rows of one size, since systems may have units of any size: the factors, and beside them those of
    // the outputs with what the constant takes away.
    let sizes = rows.map { row in row.prefix(inputs).map(abs).max() ?? 0 }
    var left = zip(rows, sizes).map { row, size in row.prefix(inputs).map { $0 / size } }
    var right = rows.indices.map { place in
      var row = Self.unit(place, inputs)
      row[inputs] = 0 - rows[place][inputs]
      return row.map { $0 / sizes[place] }
    }
    for column in 0..<inputs {
      guard
        let pivot = (column..<inputs).max(by: { abs(left[$0][column]) < abs(left[$1][column]) }),
        // What is so small, or no number, is what rounding leaves of 0.
        abs(left[pivot][column]) > 1e-14
      else { return nil }
      left.swapAt(column, pivot)
      right.swapAt(column, pivot)
      let divisor = left[column][column]
      left[column] = left[column].map { $0 / divisor }
      right[column] = right[column].map { $0 / divisor }
      for row in left.indices where row != column && left[row][column] != 0 {
        let factor = left[row][column]
        for place in 0..<inputs { left[row][place] -= factor * left[column][place] }
        for place in 0...inputs { right[row][place] -= factor * right[column][place] }
      }
    }
    return AffineMap(rows: right.map { $0.map { $0 + 0 } }, inputs: inputs)
  }

  /// The scale and the translation, when the map is no more.
  package var diagonal: (scale: [Double], translation: [Double])? {
    guard rows.count == inputs else { return nil }
    for (place, row) in rows.enumerated() {
      for other in 0..<inputs where other != place && row[other] != 0 { return nil }
    }
    return (rows.indices.map { rows[$0][$0] }, rows.map { $0[inputs] })
  }
}

// MARK: - Kinds of transformations

extension AffineMap {
  /// The number of inputs that the parameters tell.
  private static func inputs(of step: JSONObject) -> Int? {
    switch step["type"]?.stringValue {
    case "scale", "translation", "mapAxis", "rotation":
      return step["type"]?.stringValue.flatMap { step[$0]?.arrayValue?.count }
    case "affine":
      return step["affine"]?.arrayValue?.first?.arrayValue.map { $0.count - 1 }
    case "sequence":
      return (step["transformations"]?.arrayValue ?? []).lazy
        .compactMap { $0.objectValue.flatMap(inputs(of:)) }.first
    case "bijection": return step["forward"]?.objectValue.flatMap(inputs(of:))
    default: return nil
    }
  }

  private static func map(_ step: JSONObject, _ inputs: Int, _ outputs: Int?) -> AffineMap? {
    let ones = [Double](repeating: 1, count: inputs)
    switch step["type"]?.stringValue {
    case "identity": return AffineMap(scale: ones)
    case "scale":
      return vector(step["scale"], inputs).map { AffineMap(scale: $0) }
    case "translation":
      return vector(step["translation"], inputs).map { AffineMap(scale: ones, translation: $0) }
    case "affine": return matrix(step["affine"], inputs, width: inputs + 1)
    case "rotation":
      let map = matrix(step["rotation"], inputs, width: inputs)
      return map?.rows.count == inputs ? map : nil
    case "mapAxis": return permutation(step["mapAxis"], inputs)
    case "sequence":
      guard let steps = step["transformations"]?.arrayValue, !steps.isEmpty else { return nil }
      return steps.reduce(Optional(AffineMap(scale: ones))) { map, step in
        guard let map, let step = step.objectValue else { return nil }
        return AffineMap(step, inputs: map.rows.count, outputs: nil).flatMap(map.then)
      }
    case "byDimension": return outputs.flatMap { byDimension(step, inputs, $0) }
    case "bijection":
      return step["forward"]?.objectValue.flatMap {
        AffineMap($0, inputs: inputs, outputs: outputs)
      }
    default: return nil
    }
  }

  private static func vector(_ json: JSON?, _ count: Int) -> [Double]? {
    let numbers = json?.arrayValue?.compactMap(\.doubleValue)
    return numbers?.count == count && json?.arrayValue?.count == count ? numbers : nil
  }

  /// A matrix as it is written; one without constants gets zeros.
  private static func matrix(_ json: JSON?, _ inputs: Int, width: Int) -> AffineMap? {
    guard let list = json?.arrayValue, (1...most).contains(list.count) else { return nil }
    let rows = list.compactMap { vector($0, width) }
    guard rows.count == list.count else { return nil }
    return AffineMap(rows: width == inputs ? rows.map { $0 + [0] } : rows, inputs: inputs)
  }

  /// Each output is the input of this number.
  private static func permutation(_ json: JSON?, _ inputs: Int) -> AffineMap? {
    guard let places = json?.arrayValue?.compactMap(\.intValue),
      places.sorted() == Array(0..<inputs)
    else { return nil }
    return AffineMap(rows: places.map { unit($0, inputs) }, inputs: inputs)
  }

  private static func unit(_ place: Int, _ inputs: Int) -> [Double] {
    var row = [Double](repeating: 0, count: inputs + 1)
    row[place] = 1
    return row
  }

  /// Each part makes some of the outputs of some of the inputs.
  private static func byDimension(_ step: JSONObject, _ inputs: Int, _ outputs: Int) -> AffineMap? {
    guard (1...most).contains(outputs) else { return nil }
    var rows = [[Double]?](repeating: nil, count: outputs)
    for part in step["transformations"]?.arrayValue ?? [] {
      guard let from = part["inputAxes"]?.arrayValue?.compactMap(\.intValue),
        let to = part["outputAxes"]?.arrayValue?.compactMap(\.intValue),
        from.allSatisfy({ (0..<inputs).contains($0) }), Set(from).count == from.count,
        let inner = part["transformation"]?.objectValue,
        let map = AffineMap(inner, inputs: from.count, outputs: to.count)
      else { return nil }
      for (output, row) in zip(to, map.rows) {
        guard (0..<outputs).contains(output), rows[output] == nil else { return nil }
        var whole = [Double](repeating: 0, count: inputs + 1)
        for (place, factor) in zip(from + [inputs], row) { whole[place] = factor }
        rows[output] = whole
      }
    }
    let known = rows.compactMap(\.self)
    return known.count == outputs ? AffineMap(rows: known, inputs: inputs) : nil
  }
}

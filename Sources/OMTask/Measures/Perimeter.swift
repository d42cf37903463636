// Perimeters of flat objects, as scikit-image estimates them.

/// What voxels at the border of an object add to its `perimeter`, by their codes.
enum Perimeter {
  /// The codes that count, in their order.
  static let codes = [5, 7, 13, 15, 17, 21, 23, 25, 27, 33]

  /// For each code its place among those that count.
  static let places: [Int?] = (0..<50).map { codes.firstIndex(of: $0) }

  /// For each code the length of border that it stands for.
  static let weights: [Double] = (0..<50).map { code in
    switch code {
    case 5, 7, 15, 17, 25, 27: 1
    case 21, 33: 2.squareRoot()
    case 13, 23: (1 + 2.squareRoot()) / 2
    default: 0
    }
  }
}

/// What the corners between voxels add to `perimeter_crofton`: intersections with lines in four directions.
enum CroftonPerimeter {
  /// For each pattern of four voxels, as `EulerNumber` numbers them, the length that it stands for.
  static let weights: [Double] = {
    let root = 2.squareRoot()
    let slanted = Double.pi / (4 * root)
    let single = Double.pi / 4 * (1 + 1 / root)
    let (quarter, half) = (Double.pi / 4, Double.pi / 2)
    return [
      0, single, slanted, .pi / (2 * root), 0, single, 0, slanted,
      quarter, half, slanted, slanted, quarter, half, 0, 0,
    ]
  }()
}

extension MeasuredObjects {
  /// The perimeters of flat objects in voxels, by their border (`perimeter`, neighbourhood 4) and by
  /// Crofton's formula in four directions; in micrometres too where voxels are as long as they are wide.
  ///
  /// - Precondition: Contours were added up.
  public var perimeterColumns: [TableColumn] {
    let borders = order.map { object in
      var counts = [Int](repeating: 0, count: Perimeter.weights.count)
      for (place, code) in Perimeter.codes.enumerated() {
        counts[code] = word(object, sums.layout.borderCodes + place)
      }
      return NumPyArithmetic.dot(counts, Perimeter.weights)
    }
    let crossings = order.map { object in
      // Neither the first pattern nor the last is counted: they are no border.
      let counts = (0..<14).map { word(object, sums.layout.patterns + $0) }
      return NumPyArithmetic.dot([0] + counts + [0], CroftonPerimeter.weights)
    }
    let columns = [("perimeter", borders), ("perimeter_crofton", crossings)]
    let side = abs(size("y"))
    let scaled = side == abs(size("x")) ? columns : []
    return columns.map { TableColumn($0, .float64($1)) }
      + scaled.map { TableColumn("\($0)_micrometer", .float64($1.map { $0 * side })) }
  }
}

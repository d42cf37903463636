// What is known of the shape of objects: sizes, boxes, centroids and axes.

extension MeasuredObjects {
  /// The number of voxels, the box, the centroid, the share of the box that is filled, and whether the
  /// object touches the border of the image.
  ///
  /// Sizes and centroids are given in voxels and in micrometres; `extent` and the rest have no unit.
  public var shapeColumns: [TableColumn] {
    let counts = order.map { word($0, SumsLayout.count) }
    let letters = space.space
    var columns = [TableColumn("area", .int64(counts.map { Int64($0) }))]
    for letter in letters {
      columns.append(TableColumn("centroid_\(letter)", .float64(centroid(letter))))
    }
    var boxes = [Int](repeating: 1, count: count)
    var bounds: [TableColumn] = []
    for letter in letters {
      let (low, high) = box(letter)
      for row in boxes.indices { boxes[row] *= high[row] - low[row] }
      bounds.append(TableColumn("bbox_\(letter)_min", .int64(low.map { Int64($0) })))
      bounds.append(TableColumn("bbox_\(letter)_max", .int64(high.map { Int64($0) })))
    }
    columns += bounds
    columns.append(
      TableColumn("extent", .float64(zip(counts, boxes).map { Double($0) / Double($1) })))
    columns.append(
      TableColumn("touches_border", .bool(order.map { word($0, SumsLayout.border) > 0 })))
    let voxelSize = flatOrSolid.map { abs(size($0)) }.reduce(1, *)
    columns.append(
      TableColumn(
        space.isFlat ? "area_micrometer2" : "volume_micrometer3",
        .float64(counts.map { Double($0) * voxelSize })))
    for letter in letters {
      let (size, offset) = (size(letter), offset(letter))
      columns.append(
        TableColumn(
          "centroid_\(letter)_micrometer", .float64(centroid(letter).map { $0 * size + offset })))
    }
    return columns
  }

  /// The lengths of the axes of the ellipse (or ellipsoid) with the same second moments, and for flat
  /// objects its eccentricity and orientation.
  ///
  /// The formulas are those of scikit-image.
  ///
  /// - Precondition: Products were added up.
  public var axesColumns: [TableColumn] {
    let flat = space.isFlat
    var ellipses: [AxesOfObject] = []
    var scaled: [AxesOfObject] = []
    let sizes = ["z", "y", "x"].map { flat && $0 == "z" ? 1 : abs(size($0)) }
    for object in order {
      let moments = centralMoments(object)
      ellipses.append(AxesOfObject(moments, isFlat: flat))
      var physical = moments
      for (place, pair) in Self.pairs.enumerated() {
        physical[place] *= sizes[pair.0] * sizes[pair.1]
      }
      scaled.append(AxesOfObject(physical, isFlat: flat))
    }
    var columns = [
      TableColumn("axis_major_length", .float64(ellipses.map(\.major))),
      TableColumn("axis_minor_length", .float64(ellipses.map(\.minor))),
    ]
    if flat {
      columns.append(TableColumn("eccentricity", .float64(ellipses.map(\.eccentricity))))
      columns.append(TableColumn("orientation", .float64(ellipses.map(\.orientation))))
    }
    return columns + [
      TableColumn("axis_major_length_micrometer", .float64(scaled.map(\.major))),
      TableColumn("axis_minor_length_micrometer", .float64(scaled.map(\.minor))),
    ]
  }

  /// Pairs of axes, z, y and x, in the order of the sums of products.
  private static let pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]

  private var flatOrSolid: [String] { space.isFlat ? ["y", "x"] : ["z", "y", "x"] }

  func size(_ letter: String) -> Double { space.axis(letter).map { space.sizes[$0] } ?? 1 }

  func offset(_ letter: String) -> Double { space.axis(letter).map { space.offsets[$0] } ?? 0 }

  private func centroid(_ letter: String) -> [Double] {
    let axis = ["z", "y", "x"].firstIndex(of: letter) ?? 0
    return order.map { object in
      sum(object, SumsLayout.coordinates + 2 * axis).rounded()
        / Double(word(object, SumsLayout.count))
    }
  }

  /// Means of products of distances from the centroid, exact before one division.
  private func centralMoments(_ object: Int) -> [Double] {
    let count = word(object, SumsLayout.count)
    let sums = (0..<3).map { sum(object, SumsLayout.coordinates + 2 * $0) }
    return Self.pairs.enumerated().map { place, pair in
      let product = sum(object, SumsLayout.products + 2 * place)
      return centralMean(count, product, sums[pair.0], sums[pair.1])
    }
  }
}

/// (n Σab − Σa Σb) / n², the numerator exact.
///
/// - Parameters:
///   - count: The number n.
///   - product: The sum of ab.
///   - first: The sum of a.
///   - second: The sum of b.
///   - exponent: The power of two that a and b are multiples of.
/// - Returns: The mean, rounded twice.
func centralMean(
  _ count: Int, _ product: ExactSum, _ first: ExactSum, _ second: ExactSum, exponent: Int = 0
) -> Double {
  let square = Double(count) * Double(count)
  if exponent == 0, let product = product.small, let first = first.small,
    let second = second.small
  {
    let (left, isLong) = product.multipliedReportingOverflow(by: Int128(count))
    let (right, isLarge) = first.multipliedReportingOverflow(by: second)
    if !isLong && !isLarge {
      let (difference, overflows) = left.subtractingReportingOverflow(right)
      if !overflows { return Double(difference) / square }
    }
  }
  let numerator = ExactInteger(Int128(count)) * product.exact - first.exact * second.exact
  return numerator.rounded(exponent: 2 * exponent) / square
}

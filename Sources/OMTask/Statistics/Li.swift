import Glibc

/// The threshold of least cross entropy between the image and the image of its two class means.
///
/// C. H. Li and C. K. Lee, "Minimum cross entropy thresholding", Pattern Recognition 26 (1993);
/// C. H. Li and P. K. S. Tam, "An iterative algorithm for minimum cross entropy thresholding",
/// Pattern Recognition Letters 19 (1998). Arithmetic of `skimage.filters.threshold_li` 0.26.
enum Li {
  /// The threshold of an integer image that is not constant.
  ///
  /// Differs from scikit-image where that overflows: it subtracts the smallest level within the
  /// image's own type, so an `int8` image from -100 to 100 wraps there and does not here.
  static func threshold(of levels: LevelCounts) -> Double {
    let counts = levels.counts.map { Double(Float($0)) }
    let products = zip(0..., counts).map { Double($0) * $1 }
    let voxels = levels.counts.reduce(0, &+)
    let fromFirst = levels.sum - levels.first * Int128(voxels)
    let step = iterate(from: Double(fromFirst) / Double(voxels), tolerance: 0.5) { split in
      let bin = min(Int(split) + 1, counts.count)
      return (
        back: mean(products[..<bin], counts[..<bin]), fore: mean(products[bin...], counts[bin...])
      )
    }
    return step + Double(levels.first)
  }

  /// The threshold of a floating-point image from its fine bins.
  ///
  /// Class means are exact, but a bin is never split between the classes, where scikit-image
  /// iterates over the voxels: results agree within the width of a bin, 1/65,536 of the range.
  static func threshold(of table: [UInt64], in bins: FineBins) -> Double {
    let values = (0..<FineBins.count).map { bins.moments(of: $0, in: table) }
      .filter { $0.count > 0 }
    let means = values.map { Double($0.steps) / Double($0.count) }
    let steps = iterate(
      from: mean(values[...]), tolerance: max(1, smallestGap(means) / 2)
    ) { split in
      let bin = means.firstIndex { $0 > split } ?? means.count
      return (back: mean(values[..<bin]), fore: mean(values[bin...]))
    }
    return bins.first + bins.distance(steps)
  }

  /// Iterates until the split moves by no more than `tolerance`, or the darker class is all zero.
  private static func iterate(
    from start: Double, tolerance: Double, _ means: (Double) -> (back: Double, fore: Double)
  ) -> Double {
    var next = start
    var split = -1.0
    while abs(next - split) > tolerance {
      split = next
      let (back, fore) = means(split)
      if back == 0 { break }
      next = (back - fore) / (log(back) - log(fore))
    }
    return next
  }

  /// `numpy.average` of levels with weights.
  private static func mean(
    _ products: ArraySlice<Double>, _ counts: ArraySlice<Double>
  ) -> Double {
    NumPyArithmetic.pairwiseSum(Array(products)) / NumPyArithmetic.pairwiseSum(Array(counts))
  }

  private static func mean(_ values: ArraySlice<(count: UInt64, steps: Int128)>) -> Double {
    let steps = values.reduce(Int128(0)) { $0 &+ $1.steps }
    return Double(steps) / Double(values.reduce(UInt64(0)) { $0 &+ $1.count })
  }

  /// The smallest distance between neighbours.
  private static func smallestGap(_ rising: [Double]) -> Double {
    zip(rising, rising.dropFirst()).reduce(.infinity) { min($0, $1.1 - $1.0) }
  }
}

extension VoxelStatistics {
  /// Li's threshold; nil when the voxels were not counted for it.
  var liThreshold: Double? {
    if let levelCounts { return Li.threshold(of: levelCounts) }
    guard case .fineBins(let bins) = scheme else { return nil }
    return Li.threshold(of: table, in: bins)
  }
}

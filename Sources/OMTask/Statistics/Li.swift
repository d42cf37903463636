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
    let mean = Double(fromFirst) / Double(voxels)
    let distance = iterate(from: mean, tolerance: 0.5) { split in
      let bin = min(Int(split) + 1, counts.count)
      return (
        back: average(products[..<bin], counts[..<bin]),
        fore: average(products[bin...], counts[bin...])
      )
    }
    return distance + Double(levels.first)
  }

  /// Moves the split between the means of the classes below and above it, all counted from the
  /// smallest voxel, until it moves by no more than `tolerance` or the lower class is all zero.
  static func iterate(
    from start: Double, tolerance: Double, _ means: (Double) -> (back: Double, fore: Double)
  ) -> Double {
    var next = start
    var split = -2 * tolerance
    while abs(next - split) > tolerance {
      split = next
      let (back, fore) = means(split)
      if back == 0 { break }
      next = (back - fore) / (log(back) - log(fore))
    }
    return next
  }

  /// `numpy.average` of levels, weighted by their counts.
  private static func average(
    _ products: ArraySlice<Double>, _ counts: ArraySlice<Double>
  ) -> Double {
    NumPyArithmetic.pairwiseSum(Array(products)) / NumPyArithmetic.pairwiseSum(Array(counts))
  }
}

extension VoxelStatistics {
  /// Li's threshold; nil when the voxels were not counted for it.
  var liThreshold: Double? {
    if let levelCounts { return Li.threshold(of: levelCounts) }
    guard case .fineBins(let bins) = scheme else { return nil }
    return FineClasses(table, bins).liThreshold
  }
}

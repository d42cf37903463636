/// The counts of bins and the grey value each bin stands for, as `skimage.exposure.histogram`.
///
/// Bins are the levels of an integer image from the smallest to the largest, with centres in
/// double precision, or the 256 bins of a floating-point image, with centres in its own type.
struct GreyHistogram<Centre: BinaryFloatingPoint> {
  /// The voxels of each bin; the first and the last bin have some.
  let counts: [UInt64]
  /// The grey values, rising.
  let centres: [Centre]

  /// The counts as scikit-image converts them before most methods.
  var singleCounts: [Float] { counts.map { Float($0) } }

  /// The voxels of each bin times its centre, in the wider type of the two.
  var products: [Centre] { zip(singleCounts, centres).map { Centre($0) * $1 } }
}

/// A method that looks at the histogram only.
protocol HistogramMethod {
  /// The grey value above which voxels are foreground, nil when the method finds none.
  static func threshold<Centre: BinaryFloatingPoint>(of histogram: GreyHistogram<Centre>) -> Centre?
}

extension VoxelStatistics {
  /// The threshold a method finds in the histogram; nil when it finds none or nothing was counted.
  func threshold<Method: HistogramMethod>(by method: Method.Type) -> Double? {
    if let levels = levelCounts {
      let centres = levels.counts.indices.map { offset in
        Double(levels.first + Int128(offset - levels.counts.startIndex))
      }
      return Method.threshold(of: GreyHistogram(counts: Array(levels.counts), centres: centres))
    }
    switch scheme {
    case .singleBins(let bins):
      return Method.threshold(of: GreyHistogram(counts: table, centres: bins.centres))
        .map { Double($0) }
    case .doubleBins(let bins):
      return Method.threshold(of: GreyHistogram(counts: table, centres: bins.centres))
    case .none, .constant, .levels, .fineBins:
      return nil
    }
  }
}

import OMGrid
import OMJSON

/// The threshold that maximises Yen's correlation criterion.
///
/// J. C. Yen, F. J. Chang and S. Chang, "A new criterion for automatic multilevel thresholding",
/// IEEE Trans. Image Processing 4(3), 1995. Arithmetic of `skimage.filters.threshold_yen` 0.26:
/// everything in single precision, with NumPy's own logarithm.
enum Yen: HistogramMethod {
  static func threshold<Centre: BinaryFloatingPoint>(
    of histogram: GreyHistogram<Centre>
  ) -> Centre? {
    if histogram.counts.count == 1 { return histogram.centres.first }
    let counts = histogram.singleCounts
    let total = NumPyArithmetic.pairwiseSum(counts)
    let shares = counts.map { $0 / total }
    let squares = shares.map { $0 * $0 }
    let share = NumPyArithmetic.runningSums(shares)
    let squaresBelow = NumPyArithmetic.runningSums(squares)
    let squaresAbove = NumPyArithmetic.runningSumsFromEnd(squares)
    let criteria = (0..<(counts.count - 1)).map { bin in
      let entropy = 1 / (squaresBelow[bin] * squaresAbove[bin + 1])
      let balance = share[bin] * (1 - share[bin])
      return NumPyArithmetic.log(entropy * (balance * balance))
    }
    return NumPyArithmetic.firstMaximum(criteria).map { histogram.centres[$0] }
  }
}

extension VoxelStatistics {
  /// What Yen's method gives for a constant image: the value of an integer image.
  ///
  /// Of a floating-point image scikit-image makes bins from half below to half above the value;
  /// the criterion of the first one is not a number, which `numpy.argmax` takes for the largest.
  func yenOfConstant() throws(Fault) -> Double? {
    guard case .floats(let value, _) = valueRange else { return minimum }
    if dataType == .float64 {
      return try UniformBins(from: value - 0.5, through: value + 0.5).centres.first
    }
    let single = Float(value)
    return try UniformBins(from: single - 0.5, through: single + 0.5).centres.first
      .map { Double($0) }
  }
}

/// The grey value farthest from the line between the peak of the histogram and its longer tail.
///
/// G. W. Zack, W. E. Rogers and S. A. Latt, "Automatic measurement of sister chromatid exchange
/// frequency", J. Histochem. Cytochem. 25(7), 1977. Arithmetic of
/// `skimage.filters.threshold_triangle` 0.26; the squares are summed in 128 bits, where 64 overflow
/// in scikit-image once a bin has more than 3·10^9 voxels.
enum Triangle: HistogramMethod {
  static func threshold<Centre: BinaryFloatingPoint>(
    of histogram: GreyHistogram<Centre>
  ) -> Centre? {
    let counts = histogram.counts
    guard let height = counts.max(), let peak = counts.firstIndex(of: height),
      let low = counts.firstIndex(where: { $0 > 0 }),
      let high = counts.lastIndex(where: { $0 > 0 })
    else { return nil }
    let isTailAbove = peak - low < high - peak
    let width = isTailAbove ? high - peak : peak - low
    let squares = UInt128(height) * UInt128(height) + UInt128(width) * UInt128(width)
    let norm = Double(squares).squareRoot()
    let (rise, run) = (Double(height) / norm, Double(width) / norm)
    let lengths = (0..<width).map { step in
      let voxels = counts[isTailAbove ? high - step : low + step]
      return rise * Double(step) - run * Double(voxels)
    }
    return NumPyArithmetic.firstMaximum(lengths).map { step in
      histogram.centres[isTailAbove ? high - step : low + step]
    }
  }
}

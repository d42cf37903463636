/// The threshold that maximises the variance between the two classes.
///
/// N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9 (1979).
/// Arithmetic of `skimage.filters.threshold_otsu` 0.26: class sizes are running sums in single
/// precision from either end, and the first maximum wins.
enum Otsu: HistogramMethod {
  static func threshold<Centre: BinaryFloatingPoint>(
    of histogram: GreyHistogram<Centre>
  ) -> Centre? {
    let counts = histogram.singleCounts
    let products = histogram.products
    let below = NumPyArithmetic.runningSums(counts)
    let above = NumPyArithmetic.runningSumsFromEnd(counts)
    let sumBelow = NumPyArithmetic.runningSums(products)
    let sumAbove = NumPyArithmetic.runningSumsFromEnd(products)
    let variances = (0..<(counts.count - 1)).map { bin in
      let difference =
        sumBelow[bin] / Centre(below[bin]) - sumAbove[bin + 1] / Centre(above[bin + 1])
      return Centre(below[bin] * above[bin + 1]) * (difference * difference)
    }
    return NumPyArithmetic.firstMaximum(variances).map { histogram.centres[$0] }
  }
}

/// The lowest threshold that lies midway between the means of the two classes.
///
/// T. W. Ridler and S. Calvard, "Picture thresholding using an iterative selection method", IEEE
/// Trans. SMC 8 (1978). Arithmetic of `skimage.filters.threshold_isodata` 0.26, which looks at all
/// bins instead of iterating: the midway point lies in the bin itself.
enum Isodata: HistogramMethod {
  static func threshold<Centre: BinaryFloatingPoint>(
    of histogram: GreyHistogram<Centre>
  ) -> Centre? {
    let centres = histogram.centres
    if centres.count == 1 { return centres.first }
    let below = NumPyArithmetic.runningSums(histogram.singleCounts)
    let sums = NumPyArithmetic.runningSums(histogram.products)
    let (last, width) = (centres.count - 1, centres[1] - centres[0])
    let bin = (0..<last).first { bin in
      let lower = sums[bin] / Centre(below[bin])
      let higher = (sums[last] - sums[bin]) / Centre(below[last] - below[bin])
      let distance = (lower + higher) / 2 - centres[bin]
      return distance >= 0 && distance < width
    }
    return bin.map { centres[$0] }
  }
}

/// The lowest bin between the two maxima that are left when the histogram is smoothed enough.
///
/// J. M. S. Prewitt and M. L. Mendelsohn, "The analysis of cell images", Ann. N. Y. Acad. Sci. 128
/// (1966). Arithmetic of `skimage.filters.threshold_minimum` 0.26 and of
/// `scipy.ndimage.uniform_filter1d` 1.17.
enum Minimum: HistogramMethod {
  /// After so many rounds of smoothing scikit-image gives up.
  static let roundLimit = 10_000

  static func threshold<Centre: BinaryFloatingPoint>(
    of histogram: GreyHistogram<Centre>
  ) -> Centre? {
    var heights = histogram.singleCounts
    for _ in 1..<roundLimit {
      smooth(&heights)
      let maxima = firstMaxima(of: heights, atMost: 3)
      if maxima.count == 3 { continue }
      guard maxima.count == 2 else { return nil }
      return NumPyArithmetic.firstMaximum(heights[maxima[0]...maxima[1]].map { -$0 })
        .map { histogram.centres[maxima[0] + $0] }
    }
    return nil
  }

  /// The mean of each bin and its two neighbours, both ends repeated once.
  ///
  /// As in SciPy, one running sum in double precision, from which every mean is rounded to single.
  private static func smooth(_ heights: inout [Float]) {
    guard let first = heights.first, let last = heights.last else { return }
    heights.withUnsafeMutableBufferPointer { heights in
      let second = heights.count > 1 ? heights[1] : last
      var sum = Double(first) + Double(first) + Double(second)
      heights[0] = Float(sum / 3)
      var (leaving, previous) = (first, first)
      for bin in 1..<max(1, heights.count) {
        let entering = bin + 1 < heights.count ? heights[bin + 1] : last
        sum += Double(entering) - Double(leaving)
        leaving = previous
        previous = heights[bin]
        heights[bin] = Float(sum / 3)
      }
    }
  }

  /// The bins at whose right side the heights begin to fall, from the first one on.
  private static func firstMaxima(of heights: [Float], atMost limit: Int) -> [Int] {
    heights.withUnsafeBufferPointer { heights in
      var maxima: [Int] = []
      var isRising = true
      for bin in 0..<(max(1, heights.count) - 1) {
        let (here, next) = (heights[bin], heights[bin + 1])
        if isRising && next < here {
          isRising = false
          maxima.append(bin)
          if maxima.count == limit { break }
        } else if !isRising && next > here {
          isRising = true
        }
      }
      return maxima
    }
  }
}

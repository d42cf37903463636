/// The range of values that a picture spreads from black to full brightness.
struct Contrast: Equatable {
  /// The value that is black.
  let low: Double
  /// The value that is brightest.
  let high: Double

  /// The range from the 1st to the 99.8th percentile of a plane.
  ///
  /// A few hot pixels must not make all others dark. Values that are not finite do not count.
  init(of values: [Double]) {
    // Percentiles of a quarter of a million pixels are as good as those of all.
    let step = max(1, values.count / 262_144)
    let sample = stride(from: 0, to: values.count, by: step).map { values[$0] }
      .filter(\.isFinite).sorted()
    guard let smallest = sample.first, let largest = sample.last else {
      low = 0
      high = 1
      return
    }
    let last = Double(sample.count - 1)
    let lower = sample[Int(last * 0.01)]
    let upper = sample[Int((last * 0.998).rounded(.up))]
    // A plane that is nearly all background still shows what little there is.
    low = lower < upper ? lower : smallest
    high = lower < upper ? upper : largest
  }

  /// Brightness from 0 to 1 of each value.
  func brightness(_ values: [Double]) -> [Double] {
    let span = high - low
    return values.map { value in
      if value.isNaN { return 0 }
      if span <= 0 { return value > low ? 1 : 0 }
      return min(1, max(0, (value - low) / span))
    }
  }
}

import Glibc
import OMGrid

// What is known of the voxels of objects, channel by channel.

extension MeasuredObjects {
  /// The name of a column of a channel: `intensity_mean-DAPI`, or without a channel `intensity_mean`.
  func name(_ feature: String, _ channel: Int) -> String {
    channelNames.isEmpty ? feature : "\(feature)-\(channelNames[channel])"
  }

  private var layout: SumsLayout { sums.layout }

  private func start(_ channel: Int) -> Int {
    layout.channelStart + channel * layout.channelStride
  }

  private func sum(_ object: Int, _ channel: Int, _ sum: SumsLayout.Sum) -> ExactSum {
    self.sum(object, start(channel) + sum.place, count: sum.count)
  }

  /// Mean, sum, least and largest voxel and, where squares were added up, the standard deviation.
  public var intensityColumns: [TableColumn] {
    (0..<layout.channels).flatMap { channel in
      let totals = order.map {
        sum($0, channel, layout.value).rounded(exponent: layout.exponent)
      }
      let means = zip(order, totals).map { $1 / Double(word($0, SumsLayout.count)) }
      var columns = [
        TableColumn(name("intensity_mean", channel), .float64(means)),
        TableColumn(name("intensity_sum", channel), sumValues(channel, totals)),
        TableColumn(name("intensity_min", channel), extremes(channel, 0)),
        TableColumn(name("intensity_max", channel), extremes(channel, 1)),
      ]
      if layout.need.squares {
        columns.append(
          TableColumn(
            name("intensity_std", channel),
            .float64(order.map { sqrt(max(0, variance($0, channel))) })))
      }
      return columns
    }
  }

  /// Sums of integers as integers, where all of them fit.
  private func sumValues(_ channel: Int, _ totals: [Double]) -> TableColumn.Values {
    if layout.dataType.isFloat { return .float64(totals) }
    let exact = order.map { sum($0, channel, layout.value).small.flatMap(Int64.init(exactly:)) }
    let fitting = exact.compactMap(\.self)
    return fitting.count == exact.count ? .int64(fitting) : .float64(totals)
  }

  private func extremes(_ channel: Int, _ offset: Int) -> TableColumn.Values {
    let bits = order.map { sums.words[$0 * layout.stride + start(channel) + offset] }
    if layout.dataType.isFloat { return .float64(bits.map(number(ordered:))) }
    return layout.dataType == .uint64 ? .uint64(bits) : .int64(bits.map(integer(ordered:)))
  }

  private func variance(_ object: Int, _ channel: Int) -> Double {
    let value = sum(object, channel, layout.value)
    return centralMean(
      word(object, SumsLayout.count), sum(object, channel, layout.square), value, value,
      exponent: layout.exponent)
  }

  /// The centroid of objects whose voxels weigh as much as their value, in voxels; NaN where the sum of
  /// the values is 0.
  ///
  /// - Precondition: Weighted sums were added up.
  public var weightedColumns: [TableColumn] {
    (0..<layout.channels).flatMap { channel in
      space.space.map { letter in
        let axis = ["z", "y", "x"].firstIndex(of: letter) ?? 0
        let place = SumsLayout.Sum(
          place: layout.weighted.place + axis * layout.weighted.count,
          count: layout.weighted.count)
        let values = order.map { object in
          let total = sum(object, channel, layout.value).rounded(exponent: layout.exponent)
          let weighted = sum(object, channel, place).rounded(exponent: layout.exponent)
          return total == 0 ? Double.nan : weighted / total
        }
        return TableColumn(name("centroid_weighted_\(letter)", channel), .float64(values))
      }
    }
  }

  /// Median, skewness and excess kurtosis (of the whole population, as SciPy defines them); the last
  /// two are NaN where all voxels are equal.
  ///
  /// - Precondition: Squares, powers and counts were added up.
  public var distributionColumns: [TableColumn] {
    (0..<layout.channels).flatMap { channel in
      let shapes = order.map { distribution($0, channel) }
      let medians = order.map { sortedVoxels($0, channel).median }
      return [
        TableColumn(name("intensity_median", channel), .float64(medians)),
        TableColumn(name("intensity_skewness", channel), .float64(shapes.map(\.skewness))),
        TableColumn(name("intensity_kurtosis", channel), .float64(shapes.map(\.kurtosis))),
      ]
    }
  }

  /// Third and fourth central moments over powers of the second, the moments exact.
  private func distribution(_ object: Int, _ channel: Int) -> (skewness: Double, kurtosis: Double) {
    let count = Double(word(object, SumsLayout.count))
    let n = ExactInteger(Int128(word(object, SumsLayout.count)))
    let s1 = sum(object, channel, layout.value).exact
    let s2 = sum(object, channel, layout.square).exact
    let s3 = sum(object, channel, layout.cube).exact
    let s4 = sum(object, channel, layout.fourth).exact
    let (two, three, four) = (ExactInteger(2), ExactInteger(3), ExactInteger(4))
    // n² m2, n³ m3 and n⁴ m4.
    let second = n * s2 - s1 * s1
    let third = n * n * s3 - three * n * s1 * s2 + two * s1 * s1 * s1
    let fourth =
      n * n * n * s4 - four * n * n * s1 * s3 + ExactInteger(6) * n * s1 * s1 * s2
      - three * s1 * s1 * s1 * s1
    let m2 = second.rounded() / (count * count)
    if m2 == 0 { return (.nan, .nan) }
    let m3 = third.rounded() / (count * count * count)
    let m4 = fourth.rounded() / (count * count * count * count)
    return (m3 / (m2 * sqrt(m2)), m4 / (m2 * m2) - 3)
  }
}

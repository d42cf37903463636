import OMGrid

// Medians and other quantiles of the voxels of objects, of how often each value occurs.

extension MeasuredObjects {
  /// Quantiles of the voxels of each channel, by linear interpolation between the two nearest voxels, as
  /// NumPy's `quantile` does by default with voxels as `float64`.
  ///
  /// - Parameter quantiles: Numbers from 0 (the least voxel) to 1 (the largest).
  /// - Returns: For each channel a column for each quantile.
  /// - Precondition: Counts were added up.
  public func quantileColumns(_ quantiles: [Double]) -> [TableColumn] {
    (0..<sums.layout.channels).flatMap { channel in
      var columns = [[Double]](repeating: [], count: quantiles.count)
      for object in order {
        let voxels = sortedVoxels(object, channel)
        for (place, quantile) in quantiles.enumerated() {
          columns[place].append(voxels.quantile(quantile))
        }
      }
      return zip(quantiles, columns).map { quantile, values in
        TableColumn(name("intensity_quantile_\(Self.text(quantile))", channel), .float64(values))
      }
    }
  }

  /// A quantile in the name of a column: `0.25`, `0`, `1`.
  private static func text(_ quantile: Double) -> String {
    quantile == 0 || quantile == 1 ? "\(Int(quantile))" : "\(quantile)"
  }

  /// The voxels of an object in a channel.
  ///
  /// - Precondition: Counts were added up.
  func sortedVoxels(_ object: Int, _ channel: Int) -> SortedVoxels {
    let layout = sums.layout
    let isSigned = layout.dataType == .int8 || layout.dataType == .int16
    return SortedVoxels(
      values: sums.counts.values(of: object * layout.channels + channel),
      offset: !isSigned ? 0 : layout.dataType == .int8 ? -128 : -32768,
      count: UInt64(word(object, SumsLayout.count)))
  }
}

/// Voxels in their order, each value with the number of its voxels.
struct SortedVoxels {
  /// The values, ascending, above the least that their type has.
  let values: ArraySlice<(value: UInt16, count: UInt64)>
  /// What is added to a value.
  let offset: Double
  /// How many voxels there are.
  let count: UInt64

  /// The voxel that so many lie before.
  func voxel(_ rank: UInt64) -> Double {
    var below: UInt64 = 0
    for (value, times) in values {
      below += times
      if rank < below { return Double(value) + offset }
    }
    return .nan
  }

  /// The voxel in the middle, or the mean of both.
  var median: Double { (voxel((count - 1) / 2) + voxel(count / 2)) / 2 }

  /// The quantile, rounded as NumPy rounds it: each step of the interpolation, from the nearer voxel.
  func quantile(_ quantile: Double) -> Double {
    let place = Double(count - 1) * quantile
    if place >= Double(count - 1) { return voxel(count - 1) }
    let low = place.rounded(.down)
    let share = place - low
    let (below, above) = (voxel(UInt64(low)), voxel(UInt64(low) + 1))
    let step = above - below
    return share >= 0.5 ? above - step * (1 - share) : below + step * share
  }
}

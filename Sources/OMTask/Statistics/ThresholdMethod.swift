import OMGrid
public import OMJSON

/// A way to choose the grey value above which voxels are foreground.
///
/// All but `fixed` follow scikit-image 0.26 to the last bit: on integer images (exactness class E),
/// and on floating-point images by the 256-bin histogram. There `li` and `mean` are class T: `mean`
/// comes from an exact sum where NumPy rounds, `li` from 65,536 bins.
public enum ThresholdMethod: String, Sendable, CaseIterable {
  /// A number the user gives.
  case fixed
  /// Most variance between the classes (Otsu 1979).
  case otsu
  /// Least cross entropy (Li and Lee 1993).
  case li
  /// Farthest from the line from the peak to the tail (Zack 1977).
  case triangle
  /// Most correlation (Yen 1995).
  case yen
  /// Midway between the means of the classes (Ridler and Calvard 1978).
  case isodata
  /// The mean of all voxels (Glasbey 1993).
  case mean
  /// Between the two peaks of the smoothed histogram (Prewitt and Mendelsohn 1966).
  case minimum

  /// What the method must know of the voxels, nil for `fixed`.
  public var need: StatisticsNeed? {
    switch self {
    case .fixed: nil
    case .mean: .sum
    case .li: .fineHistogram
    case .otsu, .triangle, .yen, .isodata, .minimum: .histogram
    }
  }

  /// The threshold; foreground is what is strictly greater.
  ///
  /// The threshold of a constant image is its value, so nothing is foreground. Two methods differ
  /// there as scikit-image does: `minimum` has none, and on floating-point images `isodata` has
  /// none while `yen` lies just below the value.
  ///
  /// - Parameter statistics: All voxels in question, after the last pass the method needs.
  /// - Returns: A grey value, not always one that occurs.
  /// - Throws: `.task` when there is no voxel or the method finds no threshold, `.internal` when
  ///   the statistics were collected for another method.
  public func threshold(of statistics: VoxelStatistics) throws(Fault) -> Double {
    guard statistics.count > 0 else {
      throw Fault(.task, "", "there are no voxels to choose a threshold from")
    }
    guard let need, statistics.serves(need) else {
      throw Fault(.internal, "", "`\(rawValue)` does not choose from \(statistics.need) statistics")
    }
    let found =
      statistics.isConstant ? try valueOfConstant(statistics) : self.found(in: statistics)
    guard let found, found.isFinite else { throw notFound(in: statistics) }
    return found
  }

  private func found(in statistics: VoxelStatistics) -> Double? {
    switch self {
    case .fixed: return nil
    case .otsu: return statistics.threshold(by: Otsu.self)
    case .triangle: return statistics.threshold(by: Triangle.self)
    case .yen: return statistics.threshold(by: Yen.self)
    case .isodata: return statistics.threshold(by: Isodata.self)
    case .minimum: return statistics.threshold(by: Minimum.self)
    case .mean: return statistics.mean
    case .li: return statistics.liThreshold
    }
  }

  /// What scikit-image returns for a constant image, nil when it finds no threshold.
  private func valueOfConstant(_ statistics: VoxelStatistics) throws(Fault) -> Double? {
    switch self {
    case .fixed, .minimum: return nil
    case .otsu, .li, .triangle, .mean: return statistics.minimum
    case .isodata: return statistics.dataType.isFloat ? nil : statistics.minimum
    case .yen: return try statistics.yenOfConstant()
    }
  }

  private func notFound(in statistics: VoxelStatistics) -> Fault {
    let low = statistics.minimumText ?? ""
    let high = statistics.maximumText ?? ""
    let reason =
      statistics.isConstant
      ? "all voxels are \(low)"
      : self == .minimum
        ? "the histogram from \(low) to \(high) has no two peaks"
        : "the histogram from \(low) to \(high) has no such point"
    return Fault(
      .task, "", "`\(rawValue)` finds no threshold: \(reason)",
      hint: "use another method, for example `otsu`")
  }
}

/// What a filter sees beyond the border of the volume.
public enum FilterBorder: String, Sendable, CaseIterable {
  /// The volume mirrored at its faces, the outermost voxel twice: `c b a | a b c | c b a`. The
  /// default of SciPy.
  case reflect
  /// The nearest voxel of the volume: `a a a | a b c | c c c`. The default of scikit-image.
  case nearest

  /// The index in the volume that stands for any index along an axis.
  ///
  /// It is never farther from a voxel of the volume than the index it stands for, so a filter finds
  /// everything within its halo.
  ///
  /// - Parameters:
  ///   - index: Where the filter looks.
  ///   - count: How many voxels the volume has along the axis.
  /// - Returns: An index of the volume.
  /// - Precondition: `count` is at least 1.
  public func inside(_ index: Int, of count: Int) -> Int {
    if index >= 0 && index < count { return index }
    switch self {
    case .nearest: return index < 0 ? 0 : count - 1
    case .reflect:
      let place = index % (2 * count)
      let shifted = place < 0 ? place + 2 * count : place
      return shifted < count ? shifted : 2 * count - 1 - shifted
    }
  }
}

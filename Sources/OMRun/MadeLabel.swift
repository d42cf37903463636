import OMZarr

/// A label image whose voxels are all staged.
struct MadeLabel: Sendable {
  /// Its levels, finest first.
  let layouts: [ArrayLayout]
  /// How many objects it holds; nil for a mask.
  let objects: Int?
  /// Foreground voxels before any object rule.
  let foreground: Int
  /// The thresholds used.
  let thresholds: [ScopeThreshold]
}

/// How many voxels a pass looked at.
struct VoxelCounts: Sendable, Equatable {
  /// Those that count: they are selected, and in an object of the masking label where there is one.
  var processed = 0
  /// Those of them that are foreground, before any object rule.
  var foreground = 0

  static func += (counts: inout VoxelCounts, other: VoxelCounts) {
    counts.processed += other.processed
    counts.foreground += other.foreground
  }
}

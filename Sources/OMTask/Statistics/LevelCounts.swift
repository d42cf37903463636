import OMGrid

/// The number of voxels of every integer level from the smallest to the largest one.
struct LevelCounts: Sendable, Equatable {
  /// The smallest level; it has voxels.
  let first: Int128
  /// The counts from `first` up to the largest level that has voxels.
  let counts: ArraySlice<UInt64>

  /// The exact sum of all voxels.
  var sum: Int128 {
    var fromFirst: Int128 = 0
    var total: Int128 = 0
    for (level, voxels) in zip(0..., counts) {
      fromFirst &+= Int128(level) &* Int128(voxels)
      total &+= Int128(voxels)
    }
    return first &* total &+ fromFirst
  }
}

extension VoxelStatistics {
  /// The counts of the levels; nil when the scheme does not count levels, or there is no voxel.
  var levelCounts: LevelCounts? {
    guard case .levels(let first, _, _) = scheme else { return nil }
    var counts = foldedTable
    // any byte but 0 is true
    if dataType == .bool { counts = [counts[0], count &- counts[0]] }
    guard let low = counts.firstIndex(where: { $0 != 0 }),
      let high = counts.lastIndex(where: { $0 != 0 })
    else { return nil }
    return LevelCounts(first: first + Int128(low), counts: counts[low...high])
  }

  /// The table with its lanes added up.
  var foldedTable: [UInt64] {
    guard case .levels(_, let width, let lanes) = scheme, lanes > 1 else { return table }
    var folded = Array(table[..<width])
    folded.withUnsafeMutableBufferPointer { folded in
      table.withUnsafeBufferPointer { table in
        for lane in 1..<lanes {
          for level in 0..<width { folded[level] &+= table[lane &* width &+ level] }
        }
      }
    }
    return folded
  }
}

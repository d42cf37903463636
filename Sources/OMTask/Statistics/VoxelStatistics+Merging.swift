public import OMJSON

extension VoxelStatistics {
  /// Adds the voxels of another partial.
  ///
  /// - Throws: `.internal` when the two were not made for the same need, type, pass and range.
  public mutating func merge(_ other: VoxelStatistics) throws(Fault) {
    guard need == other.need, dataType == other.dataType, scheme == other.scheme,
      pass == 1 || range == other.range
    else {
      throw Fault(
        .internal, "",
        "statistics of \(dataType) (\(need), pass \(pass)) cannot take in statistics of "
          + "\(other.dataType) (\(other.need), pass \(other.pass))")
    }
    count &+= other.count
    integerSum &+= other.integerSum
    if let sum = other.floatSum { floatSum?.add(sum) }
    if pass == 1, let seen = other.range { _ = include(seen) }
    table.withUnsafeMutableBufferPointer { mine in
      other.table.withUnsafeBufferPointer { theirs in
        for index in 0..<mine.count { mine[index] &+= theirs[index] }
      }
    }
  }
}

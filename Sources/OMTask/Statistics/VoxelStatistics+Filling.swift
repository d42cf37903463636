import OMGrid

extension VoxelStatistics {
  /// Adds one voxel value several times, as for a chunk that is not stored.
  ///
  /// - Parameters:
  ///   - fill: The bytes of one voxel in native byte order, at any alignment.
  ///   - times: The number of voxels.
  /// - Returns: 0 when `add(rows:rowLength:rowCount:rowStride:)` would refuse the voxel, else nil.
  public mutating func add(fill: UnsafeRawPointer, times: UInt64) -> Int? {
    guard times > 0 else { return nil }
    count &+= times
    let isAdded =
      switch dataType {
      case .bool, .uint8: add(fill.loadUnaligned(as: UInt8.self), times)
      case .int8: add(fill.loadUnaligned(as: Int8.self), times)
      case .uint16: add(fill.loadUnaligned(as: UInt16.self), times)
      case .int16: add(fill.loadUnaligned(as: Int16.self), times)
      case .uint32: add(fill.loadUnaligned(as: UInt32.self), times)
      case .int32: add(fill.loadUnaligned(as: Int32.self), times)
      case .uint64: add(fill.loadUnaligned(as: UInt64.self), times)
      case .int64: add(fill.loadUnaligned(as: Int64.self), times)
      case .float16: add(Double(fill.loadUnaligned(as: Float16.self)), times)
      case .float32: add(Double(fill.loadUnaligned(as: Float.self)), times)
      case .float64: add(fill.loadUnaligned(as: Double.self), times)
      }
    return isAdded ? nil : 0
  }

  private mutating func add(_ voxel: some FixedWidthInteger, _ times: UInt64) -> Bool {
    if case .levels(let first, let width, _) = scheme {
      let level = Int128(voxel) - first
      guard (0..<Int128(width)).contains(level) else { return false }
      table[Int(level)] &+= times
      return true
    }
    integerSum &+= Int128(voxel) &* Int128(times)
    return include(.integers(Int128(voxel), Int128(voxel)))
  }

  private mutating func add(_ voxel: Double, _ times: UInt64) -> Bool {
    guard voxel.isFinite else { return false }
    switch scheme {
    case .none, .constant, .levels:
      floatSum?.add(voxel, times: times)
      return include(.floats(voxel + 0, voxel + 0))
    case .singleBins(let bins):
      guard let bin = bins.bin(of: Float(voxel)) else { return false }
      table[bin] &+= times
    case .doubleBins(let bins):
      guard let bin = bins.bin(of: voxel) else { return false }
      table[bin] &+= times
    case .fineBins(let bins):
      guard let step = bins.step(of: voxel) else { return false }
      bins.add(step, times, to: &table)
    }
    return true
  }
}

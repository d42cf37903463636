public import OMGrid

/// Decides for every voxel alone whether it is foreground.
///
/// An author writes the generic `mask(_:_:count:)`; the default `mask(_:raw:into:count:)` picks the
/// specialised copy once per call, never per voxel.
public protocol MaskKernel: Sendable {
  /// Writes 1 for foreground and 0 for background.
  ///
  /// - Parameters:
  ///   - voxels: `count` voxels in a row.
  ///   - mask: Room for `count` bytes.
  ///   - count: How many voxels.
  func mask<V: Voxel>(_ voxels: UnsafePointer<V>, _ mask: UnsafeMutablePointer<UInt8>, count: Int)

  /// The same for voxels whose type is only known at run time.
  func mask(
    _ dataType: DataType, raw: UnsafeRawPointer, into mask: UnsafeMutablePointer<UInt8>,
    count: Int)
}

extension MaskKernel {
  /// Calls the copy of `mask(_:_:count:)` made for this type.
  @inlinable public func mask(
    _ dataType: DataType, raw: UnsafeRawPointer, into out: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    switch dataType {
    case .bool, .uint8: mask(raw.assumingMemoryBound(to: UInt8.self), out, count: count)
    case .int8: mask(raw.assumingMemoryBound(to: Int8.self), out, count: count)
    case .uint16: mask(raw.assumingMemoryBound(to: UInt16.self), out, count: count)
    case .int16: mask(raw.assumingMemoryBound(to: Int16.self), out, count: count)
    case .uint32: mask(raw.assumingMemoryBound(to: UInt32.self), out, count: count)
    case .int32: mask(raw.assumingMemoryBound(to: Int32.self), out, count: count)
    case .uint64: mask(raw.assumingMemoryBound(to: UInt64.self), out, count: count)
    case .int64: mask(raw.assumingMemoryBound(to: Int64.self), out, count: count)
    case .float16: mask(raw.assumingMemoryBound(to: Float16.self), out, count: count)
    case .float32: mask(raw.assumingMemoryBound(to: Float.self), out, count: count)
    case .float64: mask(raw.assumingMemoryBound(to: Double.self), out, count: count)
    }
  }
}

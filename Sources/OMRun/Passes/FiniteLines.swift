import OMGrid

/// The offset of the first voxel of some lines that is NaN or infinite, in voxels.
func firstNotFinite(
  _ voxels: UnsafeRawPointer, _ type: DataType, _ lines: PlaneLines
) -> Int? {
  switch type {
  case .float16: firstNotFinite(voxels.assumingMemoryBound(to: UInt16.self), 0x7C00, lines)
  case .float32: firstNotFinite(voxels.assumingMemoryBound(to: UInt32.self), 0x7F80_0000, lines)
  case .float64:
    firstNotFinite(voxels.assumingMemoryBound(to: UInt64.self), 0x7FF0_0000_0000_0000, lines)
  default: nil
  }
}

/// A number is NaN or infinite when all bits of its exponent are set.
private func firstNotFinite<Bits: FixedWidthInteger>(
  _ voxels: UnsafePointer<Bits>, _ exponent: Bits, _ lines: PlaneLines
) -> Int? {
  for row in 0..<lines.rowCount {
    let line = voxels + row * lines.rowStride
    var found: Bits = 0
    for x in 0..<lines.rowLength { found |= (line[x] & exponent) == exponent ? 1 : 0 }
    if found != 0 {
      for x in 0..<lines.rowLength where line[x] & exponent == exponent {
        return row * lines.rowStride + x
      }
    }
  }
  return nil
}

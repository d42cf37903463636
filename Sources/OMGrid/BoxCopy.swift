/// Copies a box of voxels from one C-order buffer to another.
///
/// - Parameters:
///   - box: What to copy, in coordinates of the array.
///   - source: The first voxel of a buffer that holds the voxels of `sourceBox`.
///   - sourceBox: A box that contains `box`.
///   - target: The first voxel of a buffer for the voxels of `targetBox`.
///   - targetBox: A box that contains `box`.
///   - byteCount: Bytes of one voxel.
public func copyBox(
  _ box: Region, from source: UnsafeRawPointer, _ sourceBox: Region,
  to target: UnsafeMutableRawPointer, _ targetBox: Region, byteCount: Int
) {
  if box.isEmpty { return }
  let last = box.rank - 1
  if last < 0 { return target.copyMemory(from: source, byteCount: byteCount) }
  let from = rowMajorStrides(sourceBox.shape)
  let to = rowMajorStrides(targetBox.shape)
  let rowBytes = box.shape[last] * byteCount
  var lines = box
  lines.shape[last] = 1
  forEachPosition(in: lines) { position in
    var sourceOffset = 0
    var targetOffset = 0
    for axis in 0...last {
      sourceOffset += (position[axis] - sourceBox.origin[axis]) * from[axis]
      targetOffset += (position[axis] - targetBox.origin[axis]) * to[axis]
    }
    (target + targetOffset * byteCount).copyMemory(
      from: source + sourceOffset * byteCount, byteCount: rowBytes)
  }
}

/// Whether every byte is 0.
public func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var offset = 0
  while offset + 64 <= bytes.count {
    let eight = bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
    if eight != .zero { return false }
    offset += 64
  }
  while offset < bytes.count {
    if bytes[offset] != 0 { return false }
    offset += 1
  }
  return true
}

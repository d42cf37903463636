import OMCodecs
import OMGrid

// The voxels of some lines that count, apart from those between them.

/// The number of voxels that count in some rows.
func countOnes(
  _ admitted: (start: UnsafePointer<UInt8>, stride: Int), _ rowLength: Int, _ rowCount: Int
) -> Int {
  (0..<rowCount).reduce(0) { $0 + countOnes(admitted.start + $1 * admitted.stride, rowLength) }
}

extension PlaneLines {
  /// Copies the voxels that count side by side.
  ///
  /// - Parameters:
  ///   - voxels: The first voxel of the lines.
  ///   - byteCount: The bytes of a voxel.
  ///   - room: Takes them.
  /// - Returns: The copies and their number.
  func gather(
    _ voxels: UnsafeRawPointer, byteCount: Int, into room: ByteBuffer
  ) -> (voxels: UnsafeRawPointer, count: Int)? {
    let target = room.replace(byteCount: rowLength * rowCount * byteCount)
    guard let start = target.baseAddress else { return nil }
    let count =
      switch byteCount {
      case 1: gather(voxels, start, UInt8.self)
      case 2: gather(voxels, start, UInt16.self)
      case 4: gather(voxels, start, UInt32.self)
      default: gather(voxels, start, UInt64.self)
      }
    return (UnsafeRawPointer(start), count)
  }

  private func gather<Bits: BitwiseCopyable>(
    _ voxels: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _: Bits.Type
  ) -> Int {
    guard let admitted else { return 0 }
    let source = voxels.assumingMemoryBound(to: Bits.self)
    let copies = target.assumingMemoryBound(to: Bits.self)
    var count = 0
    for row in 0..<rowCount {
      let (line, counts) = (source + row * rowStride, admitted.start + row * admitted.stride)
      for index in 0..<rowLength {
        // Without a branch; what does not count is written over.
        copies[count] = line[index]
        count &+= Int(counts[index])
      }
    }
    return count
  }

  /// The offset of a voxel in the lines, given by its number among those that count.
  func offset(ofAdmitted number: Int) -> Int {
    guard let admitted else { return number }
    var rest = number
    for row in 0..<rowCount {
      for index in 0..<rowLength where admitted.start[row * admitted.stride + index] != 0 {
        if rest == 0 { return row * rowStride + index }
        rest -= 1
      }
    }
    return 0
  }
}

/// The number of bytes that are 1 among bytes that are 0 or 1.
func countOnes(_ mask: UnsafePointer<UInt8>, _ count: Int) -> Int {
  let raw = UnsafeRawPointer(mask)
  var total = 0
  var index = 0
  while index + 32 <= count {
    // Each byte lane holds up to 255 additions before it must be emptied.
    var lanes = SIMD32<UInt8>()
    let end = min(count - 31, index + 255 * 32)
    while index < end {
      lanes &+= raw.loadUnaligned(fromByteOffset: index, as: SIMD32<UInt8>.self)
      index += 32
    }
    for lane in 0..<32 { total += Int(lanes[lane]) }
  }
  while index < count {
    total += Int(mask[index])
    index += 1
  }
  return total
}

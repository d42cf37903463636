/// Counts 8-bit voxels, each neighbour in another of four tables that lie one after the other.
@inline(__always)
func countInFourLanes<Bits: FixedWidthInteger & UnsignedInteger>(
  _ voxels: UnsafePointer<Bits>, _ length: Int, flipping signBit: Bits,
  _ counts: UnsafeMutablePointer<UInt64>
) {
  let width = 1 &<< Bits.bitWidth
  let (second, third, fourth) = (counts + width, counts + 2 * width, counts + 3 * width)
  var index = 0
  while index &+ 4 <= length {
    counts[Int(voxels[index] ^ signBit)] &+= 1
    second[Int(voxels[index &+ 1] ^ signBit)] &+= 1
    third[Int(voxels[index &+ 2] ^ signBit)] &+= 1
    fourth[Int(voxels[index &+ 3] ^ signBit)] &+= 1
    index &+= 4
  }
  while index < length {
    counts[Int(voxels[index] ^ signBit)] &+= 1
    index &+= 1
  }
}

/// Counts 16-bit voxels, each neighbour in the other of two tables that lie one after the other.
@inline(__always)
func countInTwoLanes<Bits: FixedWidthInteger & UnsignedInteger>(
  _ voxels: UnsafePointer<Bits>, _ length: Int, flipping signBit: Bits,
  _ counts: UnsafeMutablePointer<UInt64>
) {
  let second = counts + (1 &<< Bits.bitWidth)
  var index = 0
  while index &+ 2 <= length {
    counts[Int(voxels[index] ^ signBit)] &+= 1
    second[Int(voxels[index &+ 1] ^ signBit)] &+= 1
    index &+= 2
  }
  if index < length { counts[Int(voxels[index] ^ signBit)] &+= 1 }
}

/// Counts levels from `first` up, and returns the first voxel that lies outside `width` of them.
@inline(__always)
func countLevels<Voxel: FixedWidthInteger>(
  _ voxels: UnsafePointer<Voxel>, _ length: Int, from first: Voxel, _ width: Int,
  _ counts: UnsafeMutablePointer<UInt64>
) -> Int? {
  let limit = UInt64(width)
  for index in 0..<length {
    guard voxels[index] >= first else { return index }
    let level = UInt64(truncatingIfNeeded: voxels[index]) &- UInt64(truncatingIfNeeded: first)
    guard level < limit else { return index }
    counts[Int(truncatingIfNeeded: level)] &+= 1
  }
  return nil
}

package import OMGrid

/// A box of voxels in memory: C order, without gaps.
package struct VoxelBox {
  /// Which part of the array it is.
  let region: Region
  /// Its first voxel.
  let start: UnsafeMutableRawPointer
  /// The bytes of one voxel.
  let elementByteCount: Int

  /// Makes a box of memory that somebody else owns.
  package init(region: Region, start: UnsafeMutableRawPointer, elementByteCount: Int) {
    self.region = region
    self.start = start
    self.elementByteCount = elementByteCount
  }

  /// Copies the voxels that this box shares with a chunk.
  package func copy(from chunk: UnsafeRawPointer, _ chunkRegion: Region) {
    guard let rows = SharedRows(region, chunkRegion, elementByteCount) else { return }
    walk(rows.shape, rows.firstStrides, rows.secondStrides) { here, there in
      (start + rows.firstStart + here).copyMemory(
        from: chunk + rows.secondStart + there, byteCount: rows.byteCount)
    }
  }

  /// Sets the voxels that this box shares with a chunk to one value.
  package func fill(_ chunkRegion: Region, with value: [UInt8]) {
    guard let rows = SharedRows(region, chunkRegion, elementByteCount) else { return }
    walk(rows.shape, rows.firstStrides, rows.secondStrides) { here, _ in
      let row = UnsafeMutableRawBufferPointer(
        start: start + rows.firstStart + here, count: rows.byteCount)
      row.fill(with: value)
    }
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Repeats a value until the memory is full.
  func fill(with value: [UInt8]) {
    guard let start = baseAddress, let first = value.first, count >= value.count else { return }
    if value.allSatisfy({ $0 == first }) {
      initializeMemory(as: UInt8.self, repeating: first)
      return
    }
    copyBytes(from: value)
    var done = value.count
    while done < count {
      let next = Swift.min(done, count - done)
      (start + done).copyMemory(from: start, byteCount: next)
      done += next
    }
  }
}

/// The longest contiguous rows that two boxes share, in bytes.
private struct SharedRows {
  /// Bytes of one row.
  private(set) var byteCount: Int
  /// How many rows there are along each axis that is left.
  let shape: [Int]
  let firstStart: Int
  let secondStart: Int
  let firstStrides: [Int]
  let secondStrides: [Int]

  init?(_ first: Region, _ second: Region, _ elementByteCount: Int) {
    guard let shared = first.intersection(second) else { return nil }
    var outer = max(shared.rank - 1, 0)
    byteCount = (shared.shape.last ?? 1) * elementByteCount
    while outer > 0, shared.shape[outer] == first.shape[outer],
      shared.shape[outer] == second.shape[outer]
    {
      outer -= 1
      byteCount *= shared.shape[outer]
    }
    let firstSteps = rowMajorStrides(first.shape).map { $0 * elementByteCount }
    let secondSteps = rowMajorStrides(second.shape).map { $0 * elementByteCount }
    shape = Array(shared.shape[..<outer])
    firstStart = Self.offset(of: shared, in: first, firstSteps)
    secondStart = Self.offset(of: shared, in: second, secondSteps)
    firstStrides = Array(firstSteps[..<outer])
    secondStrides = Array(secondSteps[..<outer])
  }

  private static func offset(of inner: Region, in outer: Region, _ steps: [Int]) -> Int {
    var offset = 0
    for axis in steps.indices { offset += (inner.origin[axis] - outer.origin[axis]) * steps[axis] }
    return offset
  }
}

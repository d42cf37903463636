/// Voxels in rows of a buffer, as the counting kernels take them.
struct VoxelRows {
  private let base: UnsafeRawPointer
  private let length: Int
  private let count: Int
  private let stride: Int

  /// Makes rows; rows without a gap between them become one long row.
  ///
  /// - Parameters:
  ///   - base: The first voxel.
  ///   - length: The number of voxels of a row.
  ///   - count: The number of rows.
  ///   - stride: The number of elements from row to row.
  init(base: UnsafeRawPointer, length: Int, count: Int, stride: Int) {
    let isOneRun = stride == length || count == 1
    self.base = base
    self.length = isOneRun ? length * count : length
    self.count = isOneRun ? 1 : count
    self.stride = stride
  }

  /// Hands every row to a kernel until one refuses a voxel.
  ///
  /// - Parameters:
  ///   - type: The type of a voxel.
  ///   - kernel: Takes the start and the length of a row; returns the first column it refuses.
  /// - Returns: The offset of the refused voxel from the first one, in elements.
  @inline(__always)
  func firstRefused<Voxel>(
    _ type: Voxel.Type, _ kernel: (UnsafePointer<Voxel>, Int) -> Int?
  ) -> Int? {
    let voxels = base.assumingMemoryBound(to: Voxel.self)
    for row in 0..<count {
      if let column = kernel(voxels + row * stride, length) { return row * stride + column }
    }
    return nil
  }
}

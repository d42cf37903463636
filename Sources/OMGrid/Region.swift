/// A half-open box of voxels: `origin` is in it, `origin + shape` is not.
public struct Region: Sendable, Hashable {
  /// The first voxel, one number per axis in array order.
  public var origin: [Int]
  /// The number of voxels along each axis.
  public var shape: [Int]

  /// Makes a region.
  ///
  /// - Precondition: Both have the same number of axes.
  public init(origin: [Int], shape: [Int]) {
    precondition(origin.count == shape.count, "a region needs as many origins as sizes")
    self.origin = origin
    self.shape = shape
  }

  /// The whole of an array of this shape.
  public init(wholeOf shape: [Int]) {
    self.init(origin: Array(repeating: 0, count: shape.count), shape: shape)
  }

  /// The number of axes.
  public var rank: Int { origin.count }

  /// The number of voxels.
  public var count: Int { shape.reduce(1, *) }

  /// Whether there is no voxel in it.
  public var isEmpty: Bool { shape.contains { $0 <= 0 } }

  /// One past the last voxel along an axis.
  public func end(_ axis: Int) -> Int { origin[axis] + shape[axis] }

  /// The voxels in both regions, or nil when there are none.
  public func intersection(_ other: Region) -> Region? {
    var result = self
    for axis in 0..<rank {
      let low = max(origin[axis], other.origin[axis])
      let high = min(end(axis), other.end(axis))
      if high <= low { return nil }
      result.origin[axis] = low
      result.shape[axis] = high - low
    }
    return result
  }

  /// Whether every voxel of `other` is in this region.
  public func contains(_ other: Region) -> Bool {
    (0..<rank).allSatisfy { origin[$0] <= other.origin[$0] && other.end($0) <= end($0) }
  }
}

extension Region: CustomStringConvertible {
  /// The box as `0:64,0:256` in array order.
  public var description: String {
    (0..<rank).map { "\(origin[$0]):\(end($0))" }.joined(separator: ",")
  }
}

/// The number of elements between neighbours along each axis of a C-order buffer of this shape.
public func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = Array(repeating: 1, count: shape.count)
  for axis in stride(from: shape.count - 2, through: 0, by: -1) {
    strides[axis] = strides[axis + 1] * shape[axis + 1]
  }
  return strides
}

/// The regular grid that cuts an array into cells (chunks or write units); the last cells may hang over the edge.
public struct ChunkGrid: Sendable, Hashable {
  /// The shape of the array.
  public let arrayShape: [Int]
  /// The shape of one whole cell.
  public let cellShape: [Int]
  /// The number of cells along each axis.
  public let gridShape: [Int]

  /// Makes the grid of `cellShape` over an array.
  ///
  /// - Precondition: Both shapes have the same number of axes and each cell edge is at least 1.
  public init(arrayShape: [Int], cellShape: [Int]) {
    precondition(arrayShape.count == cellShape.count && cellShape.allSatisfy { $0 >= 1 })
    self.arrayShape = arrayShape
    self.cellShape = cellShape
    gridShape = zip(arrayShape, cellShape).map { $0 == 0 ? 0 : ($0 - 1) / $1 + 1 }
  }

  /// The number of cells.
  public var count: Int { gridShape.reduce(1, *) }

  /// The grid position of the cell with this C-order number.
  public func position(of number: Int) -> [Int] {
    var rest = number
    var position = Array(repeating: 0, count: gridShape.count)
    for axis in stride(from: gridShape.count - 1, through: 0, by: -1) {
      position[axis] = rest % gridShape[axis]
      rest /= gridShape[axis]
    }
    return position
  }

  /// The C-order number of the cell at a grid position.
  public func number(at position: [Int]) -> Int {
    var number = 0
    for axis in 0..<gridShape.count { number = number * gridShape[axis] + position[axis] }
    return number
  }

  /// The voxels of a cell, cut to the array.
  public func region(at position: [Int]) -> Region {
    var origin = position
    var shape = cellShape
    for axis in 0..<position.count {
      origin[axis] = position[axis] * cellShape[axis]
      shape[axis] = min(cellShape[axis], arrayShape[axis] - origin[axis])
    }
    return Region(origin: origin, shape: shape)
  }

  /// The box of grid positions of all cells that a region of the array touches.
  public func cells(touching region: Region) -> Region {
    var origin = region.origin
    var shape = region.shape
    for axis in 0..<region.rank {
      origin[axis] = region.origin[axis] / cellShape[axis]
      let last = (region.end(axis) - 1) / cellShape[axis]
      shape[axis] = region.shape[axis] <= 0 ? 0 : last - origin[axis] + 1
    }
    return Region(origin: origin, shape: shape)
  }
}

/// Calls `body` with every position of a box, in C order.
public func forEachPosition<Failure: Error>(
  in box: Region, _ body: ([Int]) throws(Failure) -> Void
) throws(Failure) {
  if box.isEmpty { return }
  var position = box.origin
  while true {
    try body(position)
    var axis = box.rank - 1
    while axis >= 0 {
      position[axis] += 1
      if position[axis] < box.end(axis) { break }
      position[axis] = box.origin[axis]
      axis -= 1
    }
    if axis < 0 { return }
  }
}

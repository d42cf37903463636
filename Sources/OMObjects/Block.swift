package import OMGrid

/// Where a block lies: one volume's box of voxels (z, y, x), labelled as one piece.
///
/// Two-dimensional images have one plane in z. Time and channel are not here: every (t, c) pair is
/// a volume of its own, and volumes never touch.
package struct Block: BitwiseCopyable, Sendable, Equatable {
  /// The number of the volume in the label image, t before c.
  package var volume: Int
  /// The position in the grid of blocks.
  package var position: Vector3
  /// The first voxel.
  package var origin: Vector3
  /// The number of voxels along z, y and x.
  package var shape: Vector3

  /// Makes a block.
  package init(volume: Int, position: Vector3, origin: Vector3, shape: Vector3) {
    self.volume = volume
    self.position = position
    self.origin = origin
    self.shape = shape
  }

  /// The number of rows (lines of voxels along x).
  package var rowCount: Int { shape.z * shape.y }
}

/// The regular grid of blocks over every volume of a label image.
package struct BlockGrid: Sendable, Equatable {
  /// The number of volumes.
  package let volumes: Int
  /// The shape of one volume.
  package let volumeShape: Vector3
  /// The number of blocks along each axis of a volume.
  package let gridShape: Vector3
  /// Where the volume (or the selected part of it) ends.
  package let border: Border
  /// Whether voxels of neighbouring planes can touch; otherwise every plane stands for itself.
  package let joinsPlanes: Bool
  /// How far blocks are labelled beyond their voxels, to be compared with their neighbours; nil joins what
  /// touches.
  package let overlap: Vector3?

  /// Makes a grid.
  package init(
    volumes: Int, volumeShape: Vector3, gridShape: Vector3, border: Border,
    joinsPlanes: Bool = true, overlap: Vector3? = nil
  ) {
    self.overlap = overlap
    self.joinsPlanes = joinsPlanes
    self.volumes = volumes
    self.volumeShape = volumeShape
    self.gridShape = gridShape
    self.border = border
  }

  /// The box whose outermost voxels are the border.
  package struct Border: Sendable, Equatable {
    /// The first voxel.
    let low: Vector3
    /// One past the last voxel.
    let high: Vector3
    /// Whether the image has a z axis: then its first and last plane are border too, also when
    /// there is but one; an image without z has none along z.
    let hasDepth: Bool

    /// Makes a border.
    package init(low: Vector3, high: Vector3, hasDepth: Bool) {
      self.low = low
      self.high = high
      self.hasDepth = hasDepth
    }

    /// The same box, with or without a first and last plane.
    package func withDepth(_ hasDepth: Bool) -> Border {
      Border(low: low, high: high, hasDepth: hasDepth)
    }
  }

  /// The directions to all 26 neighbours; the first 13 come before their opposites.
  static let directions: [Vector3] = {
    var before: [Vector3] = []
    for z in -1...1 {
      for y in -1...1 {
        for x in -1...1 where (z, y, x) > (0, 0, 0) { before.append(Vector3(z, y, x)) }
      }
    }
    return before + before.map { Vector3(-$0.z, -$0.y, -$0.x) }
  }()

  /// The grid position next to another in a direction, or nil beyond the edge of the volume.
  func neighbour(of position: Vector3, _ direction: Vector3) -> Vector3? {
    let moved = Vector3(
      position.z + direction.z, position.y + direction.y, position.x + direction.x)
    let inside =
      (0..<gridShape.z).contains(moved.z) && (0..<gridShape.y).contains(moved.y)
      && (0..<gridShape.x).contains(moved.x)
    return inside ? moved : nil
  }
}

import OMGrid

extension OutputTile {
  /// The first byte of a row.
  func start(z: Int, y: Int) -> UnsafeMutableRawPointer {
    start + ((z - origin.z) * shape.y + (y - origin.y)) * shape.x * dataType.byteCount
  }

  /// Copies the voxels of this box from a tile of the same type that contains it.
  func copy<V: Voxel>(from tile: Tile<V>) {
    for z in origin.z..<origin.z + shape.z {
      for y in origin.y..<origin.y + shape.y {
        let source = tile.row(z: z, y: y) + (origin.x - tile.origin.x)
        row(z: z, y: y, V.self).update(from: source, count: shape.x)
      }
    }
  }
}

extension DataType {
  /// Whether voxels of this type are values of `V` in memory; those of `bool` are of `UInt8`.
  func isStored<V: Voxel>(as _: V.Type) -> Bool {
    self == V.dataType || self == .bool && V.dataType == .uint8
  }
}

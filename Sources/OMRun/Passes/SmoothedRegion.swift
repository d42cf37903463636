import OMCodecs
import OMGrid
import OMTask
import OMZarr

/// The smoothed voxels of the region that a worker has in hand.
///
/// A region is smoothed as a whole: chunk by chunk, halos would be read and smoothed many times.
final class SmoothedRegion {
  /// The boxes of the source, one for each volume, with the place of their first voxel in bytes.
  fileprivate var parts: [(box: Region, offset: Int)] = []
  fileprivate let voxels = ByteBuffer()

  /// The smoothed box that holds a box, and its first voxel.
  func find(_ box: Region) -> (box: Region, voxels: UnsafeRawPointer)? {
    guard let part = parts.first(where: { $0.box.contains(box) }),
      let start = voxels.bytes.baseAddress
    else { return nil }
    return (part.box, start + part.offset)
  }
}

extension LabelPlan {
  /// Finds out which voxels of a region count, and smooths them where the recipe asks for that, for
  /// the visits that follow.
  ///
  /// - Throws: What reading and the kernel throws.
  func prepare(_ region: Region, _ worker: Worker) throws {
    try admit(region, worker)
    guard let kernel = recipe.smoothing else { return }
    let type = source.metadata.dataType
    let boxes = parts(of: region).map(\.source)
    let total = boxes.reduce(0) { $0 + $1.count } * type.byteCount
    worker.smoothed.parts = []
    guard let start = worker.smoothed.voxels.replace(byteCount: total).baseAddress else { return }
    let work = TileWork(source: source, axes: axes, damage: damage)
    var offset = 0
    for box in boxes {
      try smooth(box, kernel, into: start + offset, work, worker)
      worker.smoothed.parts.append((box, offset))
      offset += box.count * type.byteCount
    }
  }

  /// Smooths what is selected of a box; what else is in it is not looked at.
  private func smooth(
    _ box: Region, _ kernel: any TileKernel, into target: UnsafeMutableRawPointer, _ work: TileWork,
    _ worker: Worker
  ) throws {
    let type = source.metadata.dataType
    if selection.boxes == nil { return try work.make(box, kernel, type, into: target, worker) }
    let whole = VoxelBox(region: box, start: target, elementByteCount: type.byteCount)
    for part in selection.parts(of: box) {
      let room = worker.part.replace(byteCount: part.count * type.byteCount)
      guard let start = room.baseAddress else { return }
      try work.make(part, kernel, type, into: start, worker)
      whole.copy(from: start, part)
    }
  }

  /// The shape of a region in axes of the image.
  var sourceCell: [Int] {
    var cell = grid.cells.cellShape
    if let dropped = droppedAxis { cell.insert(1, at: dropped) }
    return cell
  }

  /// Bytes that smoothing needs besides.
  var smoothingBytes: Int {
    recipe.smoothing.map { bytes(of: $0, source.metadata.dataType) } ?? 0
  }

  /// Bytes that a kernel needs besides that makes the labels of a region.
  var tileBytes: Int {
    guard let tiles = recipe.tiles else { return 0 }
    var bytes = bytes(of: tiles.kernel, .uint32)
    if let overlap {
      // The halo is made too, and its runs are kept: four numbers for every two dozen voxels.
      let shape = source.metadata.shape
      let region = zip(sourceCell, shape).reduce(1) { $0 * min($1.0, $1.1) }
      let tile = axes.largest(sourceCell, halo: overlap, within: shape).reduce(1, *)
      bytes += (tile - region) * DataType.uint32.byteCount + tile
    }
    return bytes
  }

  /// Bytes for a region with its halo, what a kernel makes of it, and its work.
  private func bytes(of kernel: any TileKernel, _ made: DataType) -> Int {
    let metadata = source.metadata
    let tile = axes.largest(sourceCell, halo: kernel.halo, within: metadata.shape)
    let region = zip(sourceCell, metadata.shape).reduce(1) { $0 * min($1.0, $1.1) }
    let part = selection.boxes == nil ? 0 : region * metadata.dataType.byteCount
    return tile.reduce(metadata.dataType.byteCount, *) + region * made.byteCount + part
      + kernel.scratchByteCount(axes.vector(tile))
  }
}

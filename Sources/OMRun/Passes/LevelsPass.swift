import OMCodecs
import OMGrid
import OMTask
import OMZarr

/// Reads a region of the finest level and gives its voxels to the coarser ones, chunk by chunk.
struct LevelsPass: Sendable {
  let plan: LevelsPlan

  /// Reads a region.
  ///
  /// - Parameters:
  ///   - region: A union of whole write units of the finest level, cut to the array.
  ///   - writers: What makes the coarser levels: each chunk is decoded once for all of them.
  ///   - worker: The worker at hand.
  /// - Throws: What reading and writing throws.
  func run(_ region: Region, into writers: [PyramidWriter], _ worker: Worker) throws {
    let metadata = plan.source.metadata
    let shape = metadata.innerChunkShape
    let fill = metadata.fillValue
    let isFillZero = fill.allSatisfy { $0 == 0 }
    try worker.reader(of: plan.source, damage: plan.damage).visit(region) { chunk in
      let position = zip(chunk.region.origin, shape).map { $0 / $1 }
      var voxels = chunk.voxels
      if voxels == nil && !isFillZero {
        let room = worker.voxels.replace(byteCount: chunk.region.count * fill.count)
        if let start = room.baseAddress {
          VoxelBox(region: chunk.region, start: start, elementByteCount: fill.count)
            .fill(chunk.region, with: fill)
          voxels = UnsafeRawPointer(start)
        }
      }
      for writer in writers {
        try writer.take(level: 0, chunk: position, voxels: voxels, worker: worker)
      }
    }
  }
}

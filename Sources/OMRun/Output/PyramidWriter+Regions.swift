import OMCodecs
import OMGrid
import OMZarr

extension PyramidWriter {
  /// Takes all voxels of a region of the finest level, chunk by chunk.
  ///
  /// - Parameters:
  ///   - region: A union of whole chunks, cut to the array.
  ///   - voxels: Its voxels in C order; nil for zeros.
  ///   - worker: The worker at hand.
  /// - Throws: What encoding or publishing throws.
  func take(_ region: Region, _ voxels: UnsafeRawPointer?, _ worker: Worker) throws {
    let layout = layouts[0]
    let chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    try forEachChunk(of: region) { position in
      let origin = zip(position, chunks.cellShape).map { $0 * $1 }
      let box = Region(origin: origin, shape: chunks.cellShape)
      guard let voxels, box != region else {
        return try take(level: 0, chunk: position, voxels: voxels, worker: worker)
      }
      let byteCount = layout.dataType.byteCount
      let room = worker.chunk.replace(byteCount: box.count * byteCount)
      guard let chunk = room.baseAddress else { return }
      if !region.contains(box) { room.initializeMemory(as: UInt8.self, repeating: 0) }
      VoxelBox(region: box, start: chunk, elementByteCount: byteCount).copy(from: voxels, region)
      try take(level: 0, chunk: position, voxels: chunk, worker: worker)
    }
  }

  /// Calls a function for the chunks of a region of the finest level, write unit by write unit, so that
  /// one unit is open at a time.
  func forEachChunk(of region: Region, _ body: ([Int]) throws -> Void) rethrows {
    let layout = layouts[0]
    let chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    let units = layout.unitGrid
    try forEachPosition(in: units.cells(touching: region)) { unit in
      guard let part = units.region(at: unit).intersection(region) else { return }
      try forEachPosition(in: chunks.cells(touching: part), body)
    }
  }
}

import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr

/// Writes a box of an array as raw voxels in C order, piece by piece.
struct VoxelStream {
  private let reader: ChunkReader
  private let sink: any ByteSink

  /// The most bytes that are held at once, besides one chunk.
  private static let budget = 256 << 20

  /// Makes a stream of an array to a sink.
  init(_ array: ZarrArray, to sink: any ByteSink) {
    reader = ChunkReader(array, context: CodecContext())
    self.sink = sink
  }

  /// Writes the voxels of a box, little-endian as in memory.
  ///
  /// - Throws: What reading a chunk throws, with the whole path, and what writing throws.
  func write(_ region: Region) throws {
    try write(region, from: 0)
  }

  /// Writes a box that is one index thick before `axis`, cut along that axis where it is too large.
  private func write(_ region: Region, from axis: Int) throws {
    let size = region.count * reader.array.metadata.dataType.byteCount
    if size <= Self.budget || axis == region.rank { return try writePiece(region, byteCount: size) }
    let chunk = reader.array.metadata.storedChunkShape[axis]
    let fitting = Self.budget / max(1, size / max(1, region.shape[axis]))
    // Whole chunks where they fit, so that none is decoded twice.
    let thickness = max(1, fitting >= chunk ? fitting / chunk * chunk : fitting)
    var start = region.origin[axis]
    while start < region.end(axis) {
      let aligned = thickness >= chunk ? start / chunk * chunk : start
      var piece = region
      piece.origin[axis] = start
      piece.shape[axis] = min(aligned + thickness, region.end(axis)) - start
      try write(piece, from: axis + 1)
      start += piece.shape[axis]
    }
  }

  private func writePiece(_ region: Region, byteCount: Int) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { buffer.deallocate() }
    guard let start = buffer.baseAddress, byteCount > 0 else { return }
    do {
      try reader.read(region, into: start)
    } catch let fault as Fault {
      // A chunk of a TIFF has the subject of its file.
      let root = reader.array.store.description
      throw fault.subject == root ? fault : fault.below(root)
    }
    try sink.write(UnsafeRawBufferPointer(buffer))
  }
}

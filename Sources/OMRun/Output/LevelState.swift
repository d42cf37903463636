import OMCodecs
import OMGrid
import OMZarr

/// One level of a label image while it is written: its grids and its unfinished parts.
struct LevelState {
  let layout: ArrayLayout
  let chunks: ChunkGrid
  let units: ChunkGrid
  let encoder: ChunkEncoder
  /// How this level is made from the one before; nil for the finest.
  let windows: [Windows]?
  /// Chunks that got some of their voxels so far.
  var partial: [Int: PartialChunk] = [:]
  /// Write units that got some of their chunks so far.
  var open: [Int: OpenUnit] = [:]
  /// Emptied units whose buffers can be used again.
  var idle: [OpenUnit] = []
  /// Write units that are published (or known to hold nothing).
  var finished: Set<Int> = []
  /// Write units that take no voxels from finer levels.
  var closed: Set<Int> = []

  init(layout: ArrayLayout, windows: [Windows]?) {
    self.layout = layout
    self.windows = windows
    chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    units = ChunkGrid(arrayShape: layout.shape, cellShape: layout.writeUnitShape)
    encoder = ChunkEncoder(
      layout.compression, chunkShape: layout.chunkShape, dataType: layout.dataType)
  }

  /// The number of chunks of a write unit that hold voxels of the array.
  func chunkCount(ofUnit position: [Int]) -> Int {
    chunks.cells(touching: units.region(at: position)).count
  }

  /// Whether the write unit of a chunk takes no voxels from finer levels.
  func isClosed(chunk position: [Int]) -> Bool {
    !closed.isEmpty && closed.contains(units.number(at: unit(ofChunk: position)))
  }

  /// The write unit that holds a chunk.
  func unit(ofChunk position: [Int]) -> [Int] {
    (0..<position.count).map { position[$0] * chunks.cellShape[$0] / units.cellShape[$0] }
  }
}

/// A chunk whose voxels come from several regions.
///
/// Sendable by rule: workers write disjoint boxes of `voxels`; everything else changes only under
/// the lock of the `PyramidWriter`.
final class PartialChunk: @unchecked Sendable {
  /// The full chunk in C order; made when the first voxel that is not 0 arrives.
  var voxels: UnsafeMutableRawPointer?
  /// Voxels that are still to come.
  var missing: Int

  init(missing: Int) { self.missing = missing }

  deinit { voxels?.deallocate() }

  /// The full chunk, zeros where nothing came yet.
  func room(byteCount: Int) -> UnsafeMutableRawPointer {
    if let voxels { return voxels }
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    fresh.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    voxels = fresh
    return fresh
  }
}

/// A write unit whose chunks are not all there yet.
///
/// Sendable by rule: it changes only under the lock of the `PyramidWriter`, and the worker that
/// brings the last chunk owns it from then on.
final class OpenUnit: @unchecked Sendable {
  let assembler: UnitAssembler
  /// Chunks that are still to come.
  var missing = 0

  init(layout: ArrayLayout) { assembler = UnitAssembler(layout) }
}

import Glibc
package import OMCodecs
import OMGrid
package import OMJSON

/// Encodes write units (shards, or chunks without shards) one after the other; each worker thread has
/// its own.
///
/// The bytes of a shard do not depend on the order in which its chunks arrive.
package final class UnitEncoder {
  private let layout: ArrayLayout
  private let context: CodecContext
  private let encoder: ChunkEncoder
  private let grid: ChunkGrid
  private let indexCodec: ShardIndexCodec
  private let arrived = ByteBuffer()
  private let sorted = ByteBuffer()
  /// Where the chunks of the current unit lie in `arrived`.
  private var chunks: [(cell: Int, range: Range<Int>)] = []

  /// Makes an encoder for the calling thread.
  package init(_ layout: ArrayLayout, context: CodecContext) {
    self.layout = layout
    self.context = context
    encoder = ChunkEncoder(
      layout.compression, chunkShape: layout.chunkShape, dataType: layout.dataType)
    grid = ChunkGrid(arrayShape: layout.writeUnitShape, cellShape: layout.chunkShape)
    indexCodec = ShardIndexCodec(cellCount: grid.count)
  }

  /// Starts the next unit.
  package func begin() {
    chunks.removeAll(keepingCapacity: true)
    arrived.removeAll()
  }

  /// Adds a chunk; one that is all zero is left out.
  ///
  /// - Parameters:
  ///   - position: The position of the chunk in the grid of its unit; each comes once.
  ///   - voxels: The full chunk in C order, in the byte order of this machine, zero where it hangs
  ///     over the edge of the array.
  /// - Throws: `unsupported` when the compressor is not there, `internal` otherwise.
  package func add(chunkAt position: [Int], voxels: UnsafeRawPointer) throws(Fault) {
    if isZero(voxels, byteCount: encoder.decodedByteCount) { return }
    let start = arrived.count
    let count = try encoder.encode(voxels, onto: arrived, using: context)
    chunks.append((grid.number(at: position), start..<start + count))
  }

  /// The bytes of the unit, valid until the next `begin`, or nil when no key is to be written.
  package func finish() -> UnsafeRawBufferPointer? {
    if chunks.isEmpty { return nil }
    if layout.shardShape == nil { return arrived.bytes }
    var index = ShardIndex(cellCount: grid.count)
    let output = inOrder()
    for (cell, range) in chunks {
      index.store(cell, offset: range.lowerBound, byteCount: range.count)
    }
    indexCodec.encode(index, onto: output)
    return output.bytes
  }

  /// Brings the chunks into the order of their cells, which costs nothing when they arrived so.
  private func inOrder() -> ByteBuffer {
    if zip(chunks, chunks.dropFirst()).allSatisfy({ $0.cell < $1.cell }) { return arrived }
    sorted.removeAll()
    chunks.sort { $0.cell < $1.cell }
    for number in chunks.indices {
      let start = sorted.count
      sorted.append(UnsafeRawBufferPointer(rebasing: arrived.bytes[chunks[number].range]))
      chunks[number].range = start..<sorted.count
    }
    return sorted
  }
}

/// Whether all bytes are 0; stops at the first that is not.
func isZero(_ start: UnsafeRawPointer, byteCount: Int) -> Bool {
  let head = min(byteCount, 16)
  for offset in 0..<head where start.load(fromByteOffset: offset, as: UInt8.self) != 0 {
    return false
  }
  // Each byte equals the one 16 before it: the C library compares whole vectors.
  return byteCount == head || memcmp(start, start + head, byteCount - head) == 0
}

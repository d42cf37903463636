import OMCodecs
import OMGrid

/// Puts encoded chunks together to a write unit: a shard with its index, or a chunk alone.
///
/// The bytes of a shard do not depend on the order in which its chunks arrive.
package final class UnitAssembler {
  private let isSharded: Bool
  private let grid: ChunkGrid
  private let indexCodec: ShardIndexCodec
  private let arrived = ByteBuffer()
  private let sorted = ByteBuffer()
  /// Where the chunks of the current unit lie in `arrived`.
  private var chunks: [(cell: Int, range: Range<Int>)] = []

  /// Makes an assembler for the write units of a layout.
  package init(_ layout: ArrayLayout) {
    isSharded = layout.shardShape != nil
    grid = ChunkGrid(arrayShape: layout.writeUnitShape, cellShape: layout.chunkShape)
    indexCodec = ShardIndexCodec(cellCount: grid.count)
  }

  /// Larger buffers do not stay, since levels that are done would keep them; the others do, since
  /// touching their pages anew takes some hundredths of the time of filling them.
  private static let kept = 16 << 20

  /// Starts the next unit; its buffers stay where they are small.
  package func begin() {
    chunks.removeAll(keepingCapacity: true)
    arrived.removeAll(keepingAtMost: Self.kept)
    sorted.removeAll(keepingAtMost: Self.kept)
  }

  /// Adds a chunk; those that are all zero are simply not added.
  ///
  /// - Parameters:
  ///   - position: The position of the chunk in the grid of its unit; each comes once.
  ///   - encoded: What a `ChunkEncoder` made of it.
  package func add(chunkAt position: [Int], encoded: UnsafeRawBufferPointer) {
    let start = arrived.count
    arrived.append(encoded)
    chunks.append((grid.number(at: position), start..<arrived.count))
  }

  /// The bytes of the unit, valid until the next `begin`, or nil when no key is to be written.
  package func finish() -> UnsafeRawBufferPointer? {
    if chunks.isEmpty { return nil }
    if !isSharded { return arrived.bytes }
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

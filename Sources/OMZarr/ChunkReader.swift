package import OMCodecs
package import OMGrid
import OMJSON
import OMStore

/// One readable chunk: its place and its voxels.
package struct ChunkView {
  /// The full box of the chunk in array axes; it may hang over the edge of the array.
  package let region: Region
  /// The full chunk in C order, in the byte order of this machine, valid during the visit; nil when
  /// the chunk is not stored and all of it is the fill value.
  package let voxels: UnsafeRawPointer?

  /// The shape of the full chunk.
  package var shape: [Int] { region.shape }
}

/// Reads the chunks of an array; each worker thread has its own, with its own buffers.
package final class ChunkReader {
  /// The array that is read.
  package let array: ZarrArray
  /// The bytes read from the store so far, indexes of shards included.
  package private(set) var bytesRead = 0
  /// How many visited chunks were not stored and read as fill value.
  package private(set) var chunksAbsent = 0

  private let context: CodecContext
  private let encoded = ByteBuffer()
  private let decoded = ByteBuffer()
  private let encodedLimit: Int
  private var shard: OpenShard?

  /// Makes a reader for the calling thread.
  package init(_ array: ZarrArray, context: CodecContext) {
    self.array = array
    self.context = context
    encodedLimit = encodedByteLimit(
      decodedByteCount: array.metadata.pipeline.decodedByteCount)
  }

  /// Visits every readable chunk that touches a region, stored chunk by stored chunk.
  ///
  /// Within a shard, chunks that are not stored come first and the others as they lie in the shard.
  ///
  /// - Parameters:
  ///   - region: A box within the array.
  ///   - body: Called for each chunk; its voxels are valid until it returns.
  /// - Throws: What `body` throws, what the store throws, and for damaged bytes `truncated`, `codec`,
  ///   `checksum` or `limit` with the key as subject.
  package func visit(_ region: Region, _ body: (ChunkView) throws -> Void) throws {
    try forEachPosition(in: array.storedGrid.cells(touching: region)) { position in
      if let layout = array.metadata.sharding {
        try visitShard(position, layout, region, body)
      } else {
        try visitChunk(position, body)
      }
    }
  }

  /// Reads a region into memory.
  ///
  /// - Parameters:
  ///   - region: A box within the array.
  ///   - target: Memory for all voxels of the region, which are put there in C order.
  /// - Throws: As `visit`.
  package func read(_ region: Region, into target: UnsafeMutableRawPointer) throws {
    let metadata = array.metadata
    let box = VoxelBox(
      region: region, start: target, elementByteCount: metadata.dataType.byteCount)
    try visit(region) { chunk in
      if let voxels = chunk.voxels {
        box.copy(from: voxels, chunk.region)
      } else {
        box.fill(chunk.region, with: metadata.fillValue)
      }
    }
  }
}

// MARK: - Arrays without shards

extension ChunkReader {
  private func visitChunk(_ position: [Int], _ body: (ChunkView) throws -> Void) throws {
    let shape = array.metadata.storedChunkShape
    let region = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
    let key = array.storedKey(position)
    guard let value = try array.store.open(key) else {
      chunksAbsent += 1
      return try body(ChunkView(region: region, voxels: nil))
    }
    let bytes = try read(0..<value.size, of: value, key)
    try body(ChunkView(region: region, voxels: decode(bytes, key)))
  }

  /// Reads some bytes of a value into the reader's buffer.
  private func read(
    _ range: Range<Int>, of value: OpenedValue, _ key: String
  ) throws(Fault) -> UnsafeRawBufferPointer {
    try checkEncodedSize(range.count, key)
    return try readUnchecked(range, of: value)
  }

  private func readUnchecked(
    _ range: Range<Int>, of value: OpenedValue
  ) throws(Fault) -> UnsafeRawBufferPointer {
    let buffer = encoded.replace(byteCount: range.count)
    try value.read(at: range.lowerBound, into: buffer)
    bytesRead += range.count
    return UnsafeRawBufferPointer(buffer)
  }

  private func checkEncodedSize(_ count: Int, _ key: String) throws(Fault) {
    if count <= encodedLimit { return }
    throw Fault(
      .limit, key,
      "the chunk has \(count) bytes; \(array.metadata.pipeline.decodedByteCount) decoded bytes"
        + " need at most \(encodedLimit)")
  }

  private func decode(
    _ bytes: UnsafeRawBufferPointer, _ key: String
  ) throws(Fault) -> UnsafeRawPointer? {
    let pipeline = array.metadata.pipeline
    let target = decoded.replace(byteCount: pipeline.decodedByteCount)
    guard let voxels = target.baseAddress else { return nil }
    do throws(Fault) {
      try pipeline.decode(bytes, into: voxels, using: context)
    } catch {
      throw error.below(key)
    }
    return UnsafeRawPointer(voxels)
  }
}

// MARK: - Sharded arrays

/// The shard in hand: it stays open, with its index, while its chunks are asked for.
private struct OpenShard {
  let position: [Int]
  let key: String
  /// What it holds; nil when it is not stored.
  let content: (value: OpenedValue, index: ShardIndex, range: Range<Int>)?
}

/// An inner chunk that has to be read.
private struct StoredCell {
  let range: Range<Int>
  let region: Region
}

extension ChunkReader {
  /// Unused bytes between two chunks that are rather read than skipped.
  private static let largestGap = 64 << 10
  /// The bytes of chunks that are read at once, to stay in the cache.
  private static let largestRead = 4 << 20

  private func visitShard(
    _ position: [Int], _ layout: ShardLayout, _ region: Region, _ body: (ChunkView) throws -> Void
  ) throws {
    let shard = try openShard(position, layout)
    var stored: [StoredCell] = []
    try forEachInnerChunk(position, region) { cellPosition, chunkRegion in
      if let content = shard.content,
        let range = try entry(
          layout.cell(at: cellPosition), content.index, content.range, shard.key)
      {
        stored.append(StoredCell(range: range, region: chunkRegion))
      } else {
        chunksAbsent += 1
        try body(ChunkView(region: chunkRegion, voxels: nil))
      }
    }
    guard let content = shard.content else { return }
    stored.sort { $0.range.lowerBound < $1.range.lowerBound }
    var rest = stored[...]
    while !rest.isEmpty {
      let group = nextGroup(rest)
      rest = rest.dropFirst(group.cells.count)
      let bytes = try readUnchecked(group.range, of: content.value)
      for cell in group.cells {
        let start = cell.range.lowerBound - group.range.lowerBound
        let chunk = UnsafeRawBufferPointer(rebasing: bytes[start..<start + cell.range.count])
        try body(ChunkView(region: cell.region, voxels: decode(chunk, shard.key)))
      }
    }
  }

  /// The chunks that lie close together at the front of a list, and the bytes that span them.
  private func nextGroup(
    _ cells: ArraySlice<StoredCell>
  ) -> (cells: ArraySlice<StoredCell>, range: Range<Int>) {
    guard let first = cells.first else { return (cells, 0..<0) }
    var end = first.range.upperBound
    let group = cells.prefix { cell in
      let next = max(end, cell.range.upperBound)
      let isClose = cell.range.lowerBound - end <= Self.largestGap
      let isFirst = cell.range == first.range
      guard isFirst || isClose && next - first.range.lowerBound <= Self.largestRead else {
        return false
      }
      end = next
      return true
    }
    return (group, first.range.lowerBound..<end)
  }

  private func openShard(_ position: [Int], _ layout: ShardLayout) throws(Fault) -> OpenShard {
    if let shard, shard.position == position { return shard }
    shard = nil
    let key = array.storedKey(position)
    let opened: OpenShard
    if let value = try array.store.open(key) {
      do throws(Fault) {
        let bytes = try readUnchecked(
          layout.index.indexRange(shardByteCount: value.size), of: value)
        let index = try layout.index.decode(bytes, shardByteCount: value.size)
        let range = layout.index.contentRange(shardByteCount: value.size)
        opened = OpenShard(position: position, key: key, content: (value, index, range))
      } catch {
        throw error.naming(key)
      }
    } else {
      opened = OpenShard(position: position, key: key, content: nil)
    }
    shard = opened
    return opened
  }

  private func entry(
    _ cell: Int, _ index: ShardIndex, _ content: Range<Int>, _ key: String
  ) throws(Fault) -> Range<Int>? {
    do throws(Fault) {
      guard let range = try index.range(of: cell, in: content) else { return nil }
      try checkEncodedSize(range.count, key)
      return range
    } catch {
      throw error.naming(key)
    }
  }

  /// Calls `body` with the position in the shard and the full box of each chunk that touches a region.
  private func forEachInnerChunk(
    _ position: [Int], _ region: Region, _ body: ([Int], Region) throws -> Void
  ) throws {
    let inner = array.metadata.innerChunkShape
    let outer = array.metadata.storedChunkShape
    let shard = Region(origin: zip(position, outer).map { $0 * $1 }, shape: outer)
    guard let wanted = shard.intersection(region) else { return }
    let local = Region(
      origin: zip(wanted.origin, shard.origin).map { $0 - $1 }, shape: wanted.shape)
    let cells = ChunkGrid(arrayShape: outer, cellShape: inner).cells(touching: local)
    var chunk = Region(origin: shard.origin, shape: inner)
    try forEachPosition(in: cells) { cell in
      for axis in cell.indices {
        chunk.origin[axis] = shard.origin[axis] + cell[axis] * inner[axis]
      }
      try body(cell, chunk)
    }
  }
}

extension Fault {
  /// The same fault about this key; faults of the store name it already.
  fileprivate func naming(_ key: String) -> Fault { subject.isEmpty ? below(key) : self }
}

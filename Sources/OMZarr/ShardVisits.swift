import OMCodecs
import OMGrid
import OMJSON
import OMStore

/// The shard in hand: it stays open, with its index, while its chunks are asked for.
struct OpenShard {
  let position: [Int]
  let key: String
  /// What it holds; nil when it is not stored or damaged.
  let content: (value: OpenedValue, index: ShardIndex, range: Range<Int>)?
  /// Whether its index cannot be used, so that all of it counts as fill value.
  let isDamaged: Bool
}

/// An inner chunk that has to be read.
private struct StoredCell {
  let range: Range<Int>
  let region: Region
}

/// The part of a reader that knows shards.
extension ChunkReader {
  /// Unused bytes between two chunks that are rather read than skipped; a journey to a server costs more.
  private var largestGap: Int { array.store.isRemote ? 512 << 10 : 64 << 10 }
  /// The bytes of chunks that are read at once, to stay in the cache; of a server, what a journey is worth.
  private var largestRead: Int { array.store.isRemote ? 8 << 20 : 4 << 20 }

  /// Visits the chunks of one shard that touch a region.
  func visitShard(
    _ position: [Int], _ layout: ShardLayout, _ region: Region,
    where isWanted: ((Region) -> Bool)?, _ body: (ChunkView) throws -> Void
  ) throws {
    let shard = try openShard(position, layout)
    var stored: [StoredCell] = []
    try forEachInnerChunk(position, region) { cellPosition, chunkRegion in
      if let isWanted, !isWanted(chunkRegion) { return }
      if let content = shard.content {
        let cell = layout.cell(at: cellPosition)
        let found = try tolerating(chunkRegion, shard.key) { () throws(Fault) in
          try entry(cell, content.index, content.range, shard.key)
        }
        if let range = found ?? nil {
          return stored.append(StoredCell(range: range, region: chunkRegion))
        }
        if found != nil { chunksAbsent += 1 }
      } else if !shard.isDamaged {
        chunksAbsent += 1
      }
      try body(ChunkView(region: chunkRegion, voxels: nil))
    }
    guard let content = shard.content else { return }
    stored.sort { $0.range.lowerBound < $1.range.lowerBound }
    var rest = stored[...]
    while !rest.isEmpty {
      let group = nextGroup(rest)
      rest = rest.dropFirst(group.cells.count)
      let bytes = try readEncoded(group.range, of: content.value)
      for cell in group.cells {
        let start = cell.range.lowerBound - group.range.lowerBound
        let chunk = UnsafeRawBufferPointer(rebasing: bytes[start..<start + cell.range.count])
        try body(
          ChunkView(region: cell.region, voxels: decode(chunk, cell.region, shard.key)))
      }
    }
  }

  /// The chunks that lie close together at the front of a list, and the bytes that span them.
  private func nextGroup(
    _ cells: ArraySlice<StoredCell>
  ) -> (cells: ArraySlice<StoredCell>, range: Range<Int>) {
    guard let first = cells.first else { return (cells, 0..<0) }
    let (largestGap, largestRead) = (largestGap, largestRead)
    var end = first.range.upperBound
    let group = cells.prefix { cell in
      let next = max(end, cell.range.upperBound)
      let isClose = cell.range.lowerBound - end <= largestGap
      let isFirst = cell.range == first.range
      guard isFirst || isClose && next - first.range.lowerBound <= largestRead else {
        return false
      }
      end = next
      return true
    }
    return (group, first.range.lowerBound..<end)
  }

  func openShard(_ position: [Int], _ layout: ShardLayout) throws(Fault) -> OpenShard {
    if let shard, shard.position == position { return shard }
    shard = nil
    let key = array.storedKey(position)
    var opened = OpenShard(position: position, key: key, content: nil, isDamaged: false)
    let count = layout.index.encodedByteCount
    let end: ExpectedPart = layout.index.isAtStart ? .start(count) : .end(count)
    if let value = try array.store.open(key, expecting: end) {
      let shape = array.metadata.storedChunkShape
      let box = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
      let index = try readIndex(value, layout, box, key)
      opened = OpenShard(
        position: position, key: key,
        content: index.map {
          (value, $0, layout.index.contentRange(shardByteCount: value.size))
        }, isDamaged: index == nil)
    }
    shard = opened
    return opened
  }

  /// Reads the index of a shard; nil when the log takes it.
  private func readIndex(
    _ value: OpenedValue, _ layout: ShardLayout, _ box: Region, _ key: String
  ) throws(Fault) -> ShardIndex? {
    do throws(Fault) {
      let range = try tolerating(box, key, isShard: true) { () throws(Fault) in
        try layout.index.indexRange(shardByteCount: value.size)
      }
      guard let range else { return nil }
      let bytes = try readEncoded(range, of: value)
      return try tolerating(box, key, isShard: true) { () throws(Fault) in
        try layout.index.decode(bytes, shardByteCount: value.size)
      }
    } catch {
      throw error.naming(key)
    }
  }

  func entry(
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

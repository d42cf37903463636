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
struct StoredCell {
  let range: Range<Int>
  let region: Region
}

/// How chunks of a shard that lie close together are read by one request.
struct CellJoining {
  /// Unused bytes between two chunks that are rather read than skipped.
  let gap: Int
  /// The bytes of chunks that are read at once.
  let most: Int

  /// A disk: what is read stays in the cache.
  static let local = CellJoining(gap: 64 << 10, most: 4 << 20)

  /// The chunks that lie close together at the front of a list, and the bytes that span them.
  func next(_ cells: ArraySlice<StoredCell>) -> (cells: ArraySlice<StoredCell>, range: Range<Int>) {
    guard let first = cells.first else { return (cells, 0..<0) }
    var end = first.range.upperBound
    let group = cells.prefix { cell in
      let next = max(end, cell.range.upperBound)
      let isClose =
        cell.range.lowerBound >= first.range.lowerBound && cell.range.lowerBound - end <= gap
      let isFirst = cell.range == first.range
      guard isFirst || isClose && next - first.range.lowerBound <= most else { return false }
      end = next
      return true
    }
    return (group, first.range.lowerBound..<end)
  }
}

/// The part of a reader that knows shards.
extension ChunkReader {
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
    if let ahead { return try visitFetched(stored, content.value, shard, layout, ahead, body) }
    var rest = stored[...]
    while !rest.isEmpty {
      let group = CellJoining.local.next(rest)
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

  /// Visits chunks of a shard on a server, whose bytes were sent for in time.
  private func visitFetched(
    _ cells: [StoredCell], _ value: OpenedValue, _ shard: OpenShard, _ layout: ShardLayout,
    _ ahead: ReadAhead, _ body: (ChunkView) throws -> Void
  ) throws {
    guard let first = cells.first else { return }
    if !ahead.holds(first) {
      let expected = ahead.boxes(of: shard.position).map { expectedCells($0, shard, layout) }
      ahead.begin(cells, among: expected, of: value)
    }
    for cell in cells {
      let bytes: UnsafeRawBufferPointer
      let group = try ahead.take(cell)
      if let group {
        if group.isNew { bytesRead += group.range.count }
        let start = cell.range.lowerBound - group.range.lowerBound
        bytes = UnsafeRawBufferPointer(
          rebasing: group.bytes.room[start..<start + cell.range.count])
      } else {
        bytes = try readEncoded(cell.range, of: value)
      }
      let voxels = try withExtendedLifetime(group) { try decode(bytes, cell.region, shard.key) }
      try body(ChunkView(region: cell.region, voxels: voxels))
    }
  }

  /// The stored chunks of a box in a shard, as they lie there; what is wrong with others is found when they
  /// are visited.
  private func expectedCells(
    _ box: ExpectedBox, _ shard: OpenShard, _ layout: ShardLayout
  ) -> [StoredCell] {
    guard let content = shard.content else { return [] }
    var cells: [StoredCell] = []
    forEachInnerChunk(shard.position, box.region) { position, region in
      if let isWanted = box.isWanted, !isWanted(region) { return }
      let found = try? entry(
        layout.cell(at: position), content.index, content.range, shard.key)
      if let range = found ?? nil { cells.append(StoredCell(range: range, region: region)) }
    }
    return cells.sorted { $0.range.lowerBound < $1.range.lowerBound }
  }

  func openShard(_ position: [Int], _ layout: ShardLayout) throws(Fault) -> OpenShard {
    if let shard, shard.position == position { return shard }
    shard = nil
    let key = array.storedKey(position)
    var opened = OpenShard(position: position, key: key, content: nil, isDamaged: false)
    let shape = array.metadata.storedChunkShape
    let box = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
    let found = try openSound(
      position, box, key, expecting: layout.index.expectedPart, isShard: true)
    if found == nil {
      opened = OpenShard(position: position, key: key, content: nil, isDamaged: true)
    } else if let value = found ?? nil {
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
  ) rethrows {
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

extension ShardIndexCodec {
  /// The part of a shard that holds the index.
  var expectedPart: ExpectedPart {
    isAtStart ? .start(encodedByteCount) : .end(encodedByteCount)
  }
}

extension Fault {
  /// The same fault about this key; faults of the store name it already.
  fileprivate func naming(_ key: String) -> Fault { subject.isEmpty ? below(key) : self }
}

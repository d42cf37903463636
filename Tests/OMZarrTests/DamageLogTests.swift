import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr
import Testing

/// What a reader with a log makes of damaged arrays.
struct DamageLogTests {
  /// A fixture of two chunks along each axis with one stored value changed.
  private func damaged(
    _ name: String, _ key: String, _ change: ([UInt8]) -> [UInt8]
  ) throws -> ZarrArray {
    let stored = try StoredArray(name)
    stored.store[key] = change(try #require(stored.store[key]))
    return try ZarrArray.open(stored.store, path: "")
  }

  /// The voxels of an array where a box has the fill value.
  private func filled(_ name: String, _ boxes: [Region]) throws -> [UInt8] {
    let array = try ZarrArray.open(StoredArray(name).store, path: "")
    let shape = array.metadata.shape
    var voxels = try array.voxels()
    let size = array.metadata.dataType.byteCount
    for box in boxes {
      forEachPosition(in: box.intersection(Region(wholeOf: shape)) ?? box) { position in
        let start = (position[0] * shape[1] + position[1]) * size
        voxels.replaceSubrange(start..<start + size, with: array.metadata.fillValue)
      }
    }
    return voxels
  }

  @Test(arguments: ["v2-zstd", "v2-blosc-lz4", "v2-blosc-zstd", "v2-gzip", "v2-lz4"])
  func `a chunk that is cut off reads as fill value and is noted once`(name: String) throws {
    let array = try damaged(name, "0.1") { Array($0.dropLast(3)) }
    let log = DamageLog()
    let chunk = Region(
      origin: [0, array.metadata.innerChunkShape[1]], shape: array.metadata.innerChunkShape)
    for _ in 0..<2 {
      let reader = ChunkReader(array, context: CodecContext(), damage: log)
      let voxels = try reader.voxels(Region(wholeOf: array.metadata.shape))
      #expect(try voxels == filled(name, [chunk]))
      #expect(try voxels == reader.voxels(Region(wholeOf: array.metadata.shape)))
    }
    #expect(log.content.count == 1)
    #expect(log.content.listed.map(\.key) == ["0.1"])
    #expect(log.content.listed.map(\.position) == [[0, 1]])
    #expect(throws: Fault.self) { try array.voxels() }
  }

  @Test(arguments: [FaultKind.checksum, .limit, .truncated])
  func `every kind of damage is taken`(kind: FaultKind) throws {
    let array = try damaged("v3-crc32c", "c/0/1") { bytes in
      switch kind {
      case .checksum: Array(bytes.dropLast()) + [bytes[bytes.count - 1] ^ 1]
      case .limit: Array(repeating: 0, count: 1 << 20)
      default: []
      }
    }
    let log = DamageLog()
    let reader = ChunkReader(array, context: CodecContext(), damage: log)
    let shape = array.metadata.innerChunkShape
    #expect(
      try reader.voxels(Region(wholeOf: array.metadata.shape))
        == filled("v3-crc32c", [Region(origin: [0, shape[1]], shape: shape)]))
    #expect(log.content.count == 1)
  }

  @Test func `an inner chunk that is damaged leaves its shard`() throws {
    let array = try damaged("v3-shard-crc32c", "c/0/0") { bytes in
      // Chunks come first in these shards, and all of them are stored but the first.
      [bytes[0] ^ 1] + bytes.dropFirst()
    }
    let log = DamageLog()
    let reader = ChunkReader(array, context: CodecContext(), damage: log)
    let voxels = try reader.voxels(Region(wholeOf: array.metadata.shape))
    let chunk = try #require(log.content.listed.first)
    let position = try #require(chunk.position)
    let shape = array.metadata.innerChunkShape
    let box = Region(origin: zip(position, shape).map { $0 * $1 }, shape: shape)
    #expect(try voxels == filled("v3-shard-crc32c", [box]))
    #expect(log.content.count == 1)
    #expect(chunk.key == "c/0/0")
  }

  @Test(arguments: [0, 7, 20])
  func `a shard whose index is damaged is lost as a whole and counts once`(rest: Int) throws {
    let array = try damaged("v3-shard-gzip", "c/1/0") { bytes in
      rest == 20 ? Array(bytes.dropLast(3)) : Array(bytes.prefix(rest))
    }
    let log = DamageLog()
    let reader = ChunkReader(array, context: CodecContext(), damage: log)
    let whole = Region(wholeOf: array.metadata.shape)
    let shape = array.metadata.storedChunkShape
    let voxels = try reader.voxels(whole)
    #expect(try voxels == filled("v3-shard-gzip", [Region(origin: [shape[0], 0], shape: shape)]))
    #expect(log.content.count == 1)
    #expect(log.content.listed.first?.position == nil)
    let absent = ChunkReader(
      try ZarrArray.open(StoredArray("v3-shard-gzip").store, path: ""), context: CodecContext())
    _ = try absent.voxels(whole)
    #expect(reader.chunksAbsent == absent.chunksAbsent, "damaged chunks are not absent ones")
  }

  @Test func `faults of the body are never taken`() throws {
    let array = try ZarrArray.open(StoredArray("v3-gzip").store, path: "")
    let log = DamageLog()
    let reader = ChunkReader(array, context: CodecContext(), damage: log)
    expectFault(.limit, "", "too large") {
      try reader.visit(Region(wholeOf: array.metadata.shape)) { _ in
        throw Fault(.limit, "", "too large")
      }
    }
    #expect(log.content.count == 0)
  }

  @Test func `what a log lists does not depend on the order`() throws {
    let chunks = (0..<DamageLog.listLimit + 500).map { number in
      DamagedChunk(
        path: "\(number % 2)", number: number, key: "k", position: [number], message: "m")
    }
    let (forth, back, merged) = (DamageLog(), DamageLog(), DamageLog())
    for chunk in chunks { try forth.add(chunk) }
    for chunk in chunks.reversed() { try back.add(chunk) }
    let parts = [DamageLog(), DamageLog()]
    for (index, chunk) in chunks.enumerated() {
      try parts[index % 3 == 0 ? 0 : 1].add(chunk)
      try parts[index % 5 == 0 ? 1 : 0].add(chunk)
    }
    for part in parts { try merged.add(part.content) }
    #expect(forth.content == back.content)
    #expect(forth.content == merged.content)
    #expect(forth.content.count == chunks.count)
    #expect(forth.content.listed.count == DamageLog.listLimit)
  }
}

import OMCodecs
import OMGrid
import OMJSON
import Testing

/// Shards that are decoded whole.
struct ShardCodecTests {
  static let sharding: JSON = [
    "name": "sharding_indexed",
    "configuration": [
      "chunk_shape": [1, 2], "codecs": [["name": "bytes"]],
      "index_codecs": [CodecListTests.little, ["name": "crc32c"]],
    ],
  ]

  /// The cells of a shard of 2 x 4 voxels: the third one is not stored.
  private func shard(damage: (inout ShardIndex) -> Void = { _ in }) throws -> [UInt8] {
    let inner = ByteBuffer()
    [UInt8](arrayLiteral: 7, 8, 1, 2, 3, 4).withUnsafeBytes { inner.append($0) }
    var index = ShardIndex(cellCount: 4)
    for (cell, offset) in [(0, 2), (1, 4), (3, 0)] {
      index.store(cell, offset: offset, byteCount: 2)
    }
    damage(&index)
    ShardIndexCodec(cellCount: 4).encode(index, onto: inner)
    return Array(inner.bytes)
  }

  private func decoded(_ shard: [UInt8]) throws -> [UInt8] {
    let chain = try CodecChain(v3: [Self.sharding], key: "codecs", subject: "zarr.json")
    return try CodecPipeline(
      v3: chain, chunkShape: [2, 4], dataType: .uint8, fillValue: [9]
    ).decoded(shard)
  }

  @Test func `cells are put in their place, those not stored hold the fill value`() throws {
    #expect(try decoded(shard()) == [1, 2, 3, 4, 9, 9, 7, 8])
  }

  @Test func `a shard that is cut off is truncated`() throws {
    let shard = try shard()
    expectFault(.truncated, "the shard") { try decoded(Array(shard.dropLast(9))) }
    expectFault(.truncated, "its index alone has 68") { try decoded(Array(shard.suffix(60))) }
  }

  @Test func `a cell outside the shard is refused`() throws {
    let shard = try shard { $0.store(1, offset: 5, byteCount: 2) }
    expectFault(.codec, "inner chunk 1 lies at byte 5") { try decoded(shard) }
  }
}

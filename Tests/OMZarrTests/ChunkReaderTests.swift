import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr
import Testing

/// What a reader visits, reads and refuses.
struct ChunkReaderTests {
  @Test(arguments: [
    Region(origin: [0, 0], shape: [9, 11]), Region(origin: [3, 5], shape: [2, 2]),
    Region(origin: [8, 10], shape: [1, 1]), Region(origin: [0, 6], shape: [9, 1]),
    Region(origin: [4, 0], shape: [1, 11]),
  ])
  func `any region is cut out of chunks and shards`(region: Region) throws {
    for name in ["v3-shard-gzip", "v3-shard-start"] {
      let array = try ZarrArray.open(StoredArray(name).store, path: "")
      let all = try array.voxels()
      var expected: [UInt8] = []
      forEachPosition(in: region) { position in
        let start = (position[0] * 11 + position[1]) * 2
        expected += all[start..<start + 2]
      }
      let reader = ChunkReader(array, context: CodecContext())
      #expect(try reader.voxels(region) == expected)
    }
  }

  @Test func `each chunk that touches the region is visited once`() throws {
    let array = try ZarrArray.open(StoredArray("v3-shard-zstd").store, path: "")
    var regions: Set<Region> = []
    var count = 0
    try ChunkReader(array, context: CodecContext()).visit(Region(origin: [1, 4], shape: [4, 3])) {
      regions.insert($0.region)
      count += 1
    }
    let origins = [[0, 3], [0, 6], [2, 3], [2, 6], [4, 3], [4, 6]]
    #expect(regions == Set(origins.map { Region(origin: $0, shape: [2, 3]) }))
    #expect(count == origins.count)
  }

  @Test func `only the index and the chunks asked for are read`() throws {
    let array = try ZarrArray.open(StoredArray("v3-shard-crc32c").store, path: "")
    let reader = ChunkReader(array, context: CodecContext())
    _ = try reader.voxels(Region(origin: [2, 0], shape: [1, 1]))
    #expect(reader.bytesRead == 4 * 16 + 4 + 16)
    _ = try reader.voxels(Region(origin: [2, 3], shape: [1, 1]))
    #expect(reader.bytesRead == 4 * 16 + 4 + 2 * 16, "the index of the shard in hand is kept")
  }

  @Test(arguments: [(10, 4 + 10 + 4), (70_000, 4 + 4)])
  func `many unused bytes between chunks are skipped, few are read`(
    gap: Int, expected: Int
  ) throws {
    var document = MetadataV3Tests.document
    document["shape"] = [2, 4]
    document["data_type"] = "uint8"
    document["chunk_grid"] = MetadataV3Tests.grid([2, 4])
    document["codecs"] = MetadataV3Tests.shards([2, 2])
    let output = ByteBuffer()
    let content = [0, 1, 4, 5] + Array(repeating: 0xEE, count: gap) + [2, 3, 6, 7] as [UInt8]
    content.withUnsafeBytes { output.append($0) }
    var index = ShardIndex(cellCount: 2)
    index.store(0, offset: 0, byteCount: 4)
    index.store(1, offset: 4 + gap, byteCount: 4)
    ShardIndexCodec(cellCount: 2).encode(index, onto: output)
    let store = MemoryStore([
      "zarr.json": JSON.object(document).bytes(), "c/0/0": Array(output.bytes),
    ])
    let reader = ChunkReader(try ZarrArray.open(store, path: ""), context: CodecContext())
    let voxels = try reader.voxels(Region(wholeOf: [2, 4]))
    #expect(voxels == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(reader.bytesRead == 2 * 16 + 4 + expected)
  }

  @Test func `absent chunks are visited without voxels and counted`() throws {
    let array = try ZarrArray.open(StoredArray("v3-shard-gzip").store, path: "")
    let reader = ChunkReader(array, context: CodecContext())
    try reader.visit(Region(origin: [0, 0], shape: [2, 3])) { #expect($0.voxels == nil) }
    #expect(reader.chunksAbsent == 1)
    let stored = try StoredArray("v3-shard-gzip")
    stored.store["c/1/1"] = nil
    let gap = try ZarrArray.open(stored.store, path: "")
    let second = ChunkReader(gap, context: CodecContext())
    #expect(
      try second.voxels(Region(origin: [4, 6], shape: [4, 5])) == Array(repeating: 0, count: 40))
    #expect(second.chunksAbsent == 4)
  }

  @Test func `an array without axes has one chunk`() throws {
    var document = MetadataV3Tests.document
    document["shape"] = []
    document["chunk_grid"] = MetadataV3Tests.grid([])
    document["dimension_names"] = nil
    let store = MemoryStore(["zarr.json": JSON.object(document).bytes(), "c": [5, 1]])
    #expect(try ZarrArray.open(store, path: "").voxels() == [5, 1])
  }

  @Test func `an array with a size of 0 has no chunks`() throws {
    var document = MetadataV3Tests.document
    document["shape"] = [0, 6]
    let store = MemoryStore(["zarr.json": JSON.object(document).bytes()])
    #expect(try ZarrArray.open(store, path: "").voxels().isEmpty)
  }

  @Test func `a transposed shard is read in array order`() throws {
    // The shard is stored turned round: cells and voxels follow the order x, y.
    let transpose: JSON = ["name": "transpose", "configuration": ["order": [1, 0]]]
    var document = MetadataV3Tests.document
    document["shape"] = [2, 4]
    document["data_type"] = "uint8"
    document["chunk_grid"] = MetadataV3Tests.grid([2, 4])
    document["codecs"] = MetadataV3Tests.shards([2, 2], behind: [transpose])
    let output = ByteBuffer()
    [UInt8](arrayLiteral: 0, 4, 1, 5, 2, 6, 3, 7).withUnsafeBytes { output.append($0) }
    var index = ShardIndex(cellCount: 2)
    index.store(0, offset: 0, byteCount: 4)
    index.store(1, offset: 4, byteCount: 4)
    ShardIndexCodec(cellCount: 2).encode(index, onto: output)
    let store = MemoryStore([
      "zarr.json": JSON.object(document).bytes(), "c/0/0": Array(output.bytes),
    ])
    #expect(try ZarrArray.open(store, path: "").voxels() == [0, 1, 2, 3, 4, 5, 6, 7])
  }

  @Test(arguments: [
    ("v3-gzip", "c/0/1", FaultKind.truncated, "cut off"),
    ("v3-crc32c", "c/0/1", .checksum, "the checksum is"),
    ("v2-uint16-little", "0.1", .truncated, "decodes to 9 bytes, expected 12"),
    ("v3-shard-gzip", "c/1/0", .truncated, "no index"),
  ])
  func `a damaged value is named by its key`(
    name: String, key: String, kind: FaultKind, words: String
  ) throws {
    let inner = try StoredArray(name)
    let store = MemoryStore()
    for file in try inner.store.list("") where !file.hasPrefix("c") {
      store["i/\(file)"] = inner.store[file]
    }
    store["i/\(key)"] = inner.store[key].map { Array($0.dropLast(3)) }
    let array = try ZarrArray.open(store, path: "i")
    expectFault(kind, "i/\(key)", words) { try array.voxels() }
  }

  @Test(
    "a chunk that is far too large is refused before it is read; a raw one is damaged, whatever the limit",
    arguments: [
      ("v3-gzip", 65_550, FaultKind.limit, "65550 bytes"),
      ("v3-crc32c", 70_000, .codec, "the chunk has 70000 bytes, expected"),
    ])
  func largeChunks(name: String, count: Int, kind: FaultKind, words: String) throws {
    let stored = try StoredArray(name)
    stored.store["c/0/1"] = Array(repeating: 0, count: count)
    let reader = ChunkReader(try ZarrArray.open(stored.store, path: ""), context: CodecContext())
    expectFault(kind, "c/0/1", words) {
      try reader.voxels(Region(origin: [0, 3], shape: [1, 1]))
    }
    #expect(reader.bytesRead == 0)
  }
}

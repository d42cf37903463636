import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr
import Testing

/// Arrays that we write and read back.
struct WritingTests {
  static let compressions: [Compression] = [
    .none, .zstd(level: 3), .gzip(level: 5), .zlib(level: 5),
    .blosc(BloscOptions(compressor: "lz4", level: 5, shuffle: .byte)),
  ]

  @Test(arguments: DataType.allCases, compressions)
  func `a written array comes back`(dataType: DataType, compression: Compression) throws {
    for (format, shard) in [(2, nil), (3, nil), (3, [4, 6])] {
      let layout = try ArrayLayout(
        zarrFormat: format, shape: [9, 11], dataType: dataType, chunkShape: [2, 3],
        shardShape: shard, compression: compression)
      let array = try ZarrArray.open(try written(layout), path: "")
      #expect(try array.voxels() == voxels(layout))
      #expect(array.metadata.isSharded == (shard != nil))
      #expect(array.metadata.fillValue == Array(repeating: 0, count: dataType.byteCount))
      #expect(array.metadata.compression == compression.available(inFormat: format))
    }
  }

  @Test func `a shard does not depend on the order of arrival`() throws {
    let layout = try ArrayLayout(
      zarrFormat: 3, shape: [4, 4], dataType: .uint8, chunkShape: [2, 2], shardShape: [4, 4],
      compression: .gzip(level: 5))
    let assembler = UnitAssembler(layout)
    let cells = [[0, 0], [0, 1], [1, 0], [1, 1]]
    let inOrder = unit(cells, assembler)
    #expect(inOrder != nil)
    #expect(unit(cells.reversed(), assembler) == inOrder)
    #expect(unit([[1, 0], [0, 0], [1, 1], [0, 1]], assembler) == inOrder)
  }

  @Test func `a unit without chunks is not stored`() throws {
    for shard in [nil, [4, 4]] {
      let layout = try ArrayLayout(
        zarrFormat: 3, shape: [4, 4], dataType: .uint8, chunkShape: [2, 2], shardShape: shard,
        compression: .none)
      let assembler = UnitAssembler(layout)
      #expect(unit([[0, 0]], assembler) != nil)
      #expect(unit([], assembler) == nil)
    }
  }

  @Test func `v3 documents say all that readers ask for`() throws {
    let layout = try ArrayLayout(
      zarrFormat: 3, shape: [9, 11], dataType: .uint16, chunkShape: [2, 3], shardShape: [4, 6],
      compression: .zstd(level: 1), dimensionNames: ["y", nil])
    let documents = layout.documents(attributes: ["k": 1])
    #expect(documents.map(\.name) == ["zarr.json"])
    let codecs = """
      [{"name":"sharding_indexed","configuration":{"chunk_shape":[2,3],"codecs":[{"name":"bytes",\
      "configuration":{"endian":"little"}},{"name":"zstd","configuration":{"level":1,\
      "checksum":false}}],"index_codecs":[{"name":"bytes","configuration":{"endian":"little"}},\
      {"name":"crc32c"}],"index_location":"end"}}]
      """
    #expect(documents[0].document["codecs"]?.text() == codecs)
    #expect(documents[0].document["dimension_names"] == ["y", .null])
    #expect(documents[0].document["attributes"] == ["k": 1])
    #expect(layout.unitKey([1, 2]) == "c/1/2")
    #expect(layout.writeUnitShape == [4, 6])
  }

  @Test func `v2 documents say all that readers ask for`() throws {
    let layout = try ArrayLayout(
      zarrFormat: 2, shape: [9, 11], dataType: .float32, chunkShape: [2, 3],
      compression: .blosc(BloscOptions(compressor: "lz4", level: 5, shuffle: .automatic)))
    let documents = layout.documents(attributes: [:])
    #expect(documents.map(\.name) == [".zattrs", ".zarray"])
    let array = """
      {"zarr_format":2,"shape":[9,11],"chunks":[2,3],"dtype":"<f4","compressor":{"id":"blosc",\
      "cname":"lz4","clevel":5,"shuffle":-1,"blocksize":0},"fill_value":0.0,"order":"C",\
      "filters":null,"dimension_separator":"/"}
      """
    #expect(documents[1].document.text() == array)
    #expect(layout.unitKey([1, 2]) == "1/2")
  }

  @Test(
    arguments: [
      (3, [2, 3], [4, 5], "do not divide"), (2, [2, 3], [4, 6], "shards in Zarr format 2"),
      (4, [2, 3], nil, "Zarr format 4"), (3, [2], nil, "chunks and shards"),
      (3, [0, 1], nil, "chunks and shards"),
    ] as [(Int, [Int], [Int]?, String)])
  func `a layout that does not fit together is refused`(
    format: Int, chunk: [Int], shard: [Int]?, words: String
  ) {
    expectFault(.internal, "", words) {
      try ArrayLayout(
        zarrFormat: format, shape: [9, 11], dataType: .uint8, chunkShape: chunk, shardShape: shard,
        compression: .none)
    }
  }

  private func voxels(_ layout: ArrayLayout) -> [UInt8] {
    expectedVoxels(
      layout.shape, layout.dataType, firstChunk: layout.chunkShape,
      fill: Array(repeating: 0, count: layout.dataType.byteCount))
  }

  /// One unit of raw 2 x 2 chunks that hold their position.
  private func unit(_ cells: [[Int]], _ assembler: UnitAssembler) -> [UInt8]? {
    assembler.begin()
    for cell in cells {
      let chunk = Array(repeating: UInt8(cell[0] * 16 + cell[1] + 1), count: 4 + cell[1])
      chunk.withUnsafeBytes { assembler.add(chunkAt: cell, encoded: $0) }
    }
    return assembler.finish().map { Array($0) }
  }

  /// A store with the array of a layout; chunks that are all zero are left out.
  private func written(_ layout: ArrayLayout) throws -> MemoryStore {
    let store = MemoryStore()
    for (name, document) in layout.documents(attributes: [:]) { store[name] = document.bytes() }
    let encoder = ChunkEncoder(
      layout.compression, chunkShape: layout.chunkShape, dataType: layout.dataType)
    let assembler = UnitAssembler(layout)
    let unitGrid = ChunkGrid(arrayShape: layout.shape, cellShape: layout.writeUnitShape)
    try forEachPosition(in: Region(wholeOf: unitGrid.gridShape)) { unit in
      assembler.begin()
      let cells = ChunkGrid(arrayShape: layout.writeUnitShape, cellShape: layout.chunkShape)
      try forEachPosition(in: Region(wholeOf: cells.gridShape)) { cell in
        let origin = layout.shape.indices.map {
          unit[$0] * layout.writeUnitShape[$0] + cell[$0] * layout.chunkShape[$0]
        }
        let chunk = chunk(Region(origin: origin, shape: layout.chunkShape), layout)
        if chunk.allSatisfy({ $0 == 0 }) { return }
        let output = ByteBuffer()
        try chunk.withUnsafeBytes {
          _ = try encoder.encode(try #require($0.baseAddress), onto: output, using: CodecContext())
        }
        assembler.add(chunkAt: cell, encoded: output.bytes)
      }
      store[layout.unitKey(unit)] = assembler.finish().map { Array($0) }
    }
    return store
  }

  /// The full chunk of a region, zero beyond the array.
  private func chunk(_ region: Region, _ layout: ArrayLayout) -> [UInt8] {
    let all = voxels(layout)
    let width = layout.dataType.byteCount
    var chunk: [UInt8] = []
    forEachPosition(in: region) { position in
      let isInside = zip(position, layout.shape).allSatisfy { $0 < $1 }
      let start = (position[0] * layout.shape[1] + position[1]) * width
      chunk +=
        isInside ? all[start..<start + width] : all[0..<0] + Array(repeating: 0, count: width)
    }
    return chunk
  }
}

import OMCodecs
import OMGrid
import OMJSON
import OMZarr
import Testing

/// What zarr-python and tensorstore wrote is read as it was.
struct StoredArrayTests {
  @Test(arguments: DataType.allCases, ["v2", "v3"])
  func `every type is read in both byte orders`(dataType: DataType, format: String) throws {
    for order in dataType.byteCount > 1 ? ["little", "big"] : ["little"] {
      let array = try open("\(format)-\(dataType.rawValue)-\(order)")
      #expect(array.metadata.dataType == dataType)
      #expect(array.metadata.zarrFormat == (format == "v2" ? 2 : 3))
      #expect(try array.voxels() == expected(array), "\(order)")
    }
  }

  @Test(arguments: [
    "v2-zlib", "v2-gzip", "v2-zstd", "v2-lz4", "v2-blosc-lz4", "v2-blosc-zstd", "v2-blosc-zlib",
    "v2-blosc-blosclz", "v3-gzip", "v3-zstd", "v3-crc32c", "v3-zstd-crc32c", "v3-blosc",
    "v3-gzip-zstd",
  ])
  func `every codec is read`(name: String) throws {
    let array = try open(name)
    #expect(try array.voxels() == expected(array))
  }

  @Test(arguments: [
    "gzip", "zstd", "crc32c", "zstd-crc32c", "blosc", "gzip-zstd", "start", "index-big", "4d",
  ])
  func `every kind of shard is read`(name: String) throws {
    let array = try open("v3-shard-\(name)")
    #expect(array.metadata.isSharded)
    #expect(array.metadata.innerChunkShape != array.metadata.storedChunkShape)
    #expect(try array.voxels() == expected(array))
  }

  @Test(arguments: ["v3-nested", "v3-shard-in-gzip"])
  func `shards inside shards and behind codecs are read`(name: String) throws {
    let array = try open(name)
    #expect(array.metadata.isSharded == (name == "v3-nested"))
    #expect(try array.voxels() == expected(array))
  }

  @Test(arguments: ["v2-order-f", "v3-transpose-201", "v3-transpose-021"])
  func `chunks in another axis order are read`(name: String) throws {
    let array = try open(name)
    #expect(try array.voxels() == expected(array))
  }

  @Test(arguments: ["v3-key-dot", "v3-key-v2"])
  func `every key encoding is read`(name: String) throws {
    let array = try open(name)
    #expect(try array.voxels() == expected(array))
  }

  @Test func `chunks that are not stored hold the fill value`() throws {
    let seven = try open("v2-fill-7")
    #expect(seven.metadata.fillValue == [7, 0])
    #expect(try seven.voxels() == expected(seven))
    let nan = try open("v3-fill-nan")
    #expect(nan.metadata.fillValue == rawBytes(Float.nan))
    #expect(try nan.voxels() == expected(nan))
  }

  @Test(arguments: [
    ("v2-blosc-zstd", Compression.blosc(BloscOptions(compressor: "zstd", level: 5, shuffle: .bit))),
    ("v3-blosc", .blosc(BloscOptions(compressor: "lz4", level: 5, shuffle: .bit))),
    ("v3-shard-zstd-crc32c", .zstd(level: 3)), ("v2-zlib", .zlib(level: 3)),
    ("v2-lz4", .blosc(BloscOptions(compressor: "lz4", level: 5, shuffle: .byte))),
    ("v3-crc32c", .none),
  ])
  func `a writer learns how the source is compressed`(
    name: String, compression: Compression
  ) throws {
    #expect(try open(name).metadata.compression == compression)
  }

  private func open(_ name: String) throws -> ZarrArray {
    try ZarrArray.open(StoredArray(name).store, path: "")
  }

  private func expected(_ array: ZarrArray) -> [UInt8] {
    let metadata = array.metadata
    return expectedVoxels(
      metadata.shape, metadata.dataType, firstChunk: metadata.innerChunkShape,
      fill: metadata.fillValue)
  }
}

import OMCodecs
import OMJSON
import Testing

/// The index of a shard: where it stands, and what it may say.
struct ShardIndexTests {
  /// Two cells: 10 bytes at 3, and one that is not stored; big-endian, without checksum.
  static let bigEndian: [UInt8] =
    [0, 0, 0, 0, 0, 0, 0, 3] + [0, 0, 0, 0, 0, 0, 0, 10] + Array(repeating: 0xFF, count: 16)

  @Test func `an index without checksum is read in its byte order`() throws {
    let codec = try codec("big", checksum: false, cellCount: 2)
    #expect(codec.encodedByteCount == 32)
    let index = try decode(Self.bigEndian, codec, 45)
    #expect(try index.range(of: 0, in: codec.contentRange(shardByteCount: 45)) == 3..<13)
    #expect(try index.range(of: 1, in: codec.contentRange(shardByteCount: 45)) == nil)
  }

  @Test func `a written index comes back`() throws {
    var index = ShardIndex(cellCount: 3)
    index.store(2, offset: 0, byteCount: 7)
    index.store(0, offset: 7, byteCount: 9)
    let codec = ShardIndexCodec(cellCount: 3)
    let output = ByteBuffer()
    codec.encode(index, onto: output)
    #expect(output.count == 3 * 16 + 4)
    #expect(try codec.decode(output.bytes, shardByteCount: 16 + output.count) == index)
    let declared = try self.codec("little", checksum: true, cellCount: 3)
    #expect(try declared.decode(output.bytes, shardByteCount: 16 + output.count) == index)
  }

  @Test(
    arguments: [
      (5, 36), (41, 1), (0, 0), (UInt64.max - 7, 1 << 63), (UInt64.max, 4),
      (4, UInt64.max), (1 << 63, 4),
    ] as [(UInt64, UInt64)])
  func `an entry that points outside the shard is refused`(offset: UInt64, count: UInt64) throws {
    let codec = try codec("little", checksum: false, cellCount: 1)
    let index = try decode(rawBytes([offset.littleEndian, count.littleEndian]), codec, 56)
    expectFault(.codec, "lies at byte \(offset) with \(count) bytes") {
      try index.range(of: 0, in: codec.contentRange(shardByteCount: 56))
    }
  }

  @Test func `an entry that points into an index at the start is refused`() throws {
    let codec = try codec("little", checksum: false, cellCount: 1, location: "start")
    #expect(try codec.indexRange(shardByteCount: 40) == 0..<16)
    let index = try decode(rawBytes([UInt64(15), 4]), codec, 40)
    expectFault(.codec, "lie in bytes 16 to 40") {
      try index.range(of: 0, in: codec.contentRange(shardByteCount: 40))
    }
  }

  @Test func `a shard shorter than its index is truncated`() throws {
    let codec = ShardIndexCodec(cellCount: 4)
    #expect(try codec.indexRange(shardByteCount: 68) == 0..<68)
    expectFault(.truncated, "67 bytes, its index alone has 68") {
      try codec.indexRange(shardByteCount: 67)
    }
  }

  @Test func `one wrong bit is a wrong checksum, garbage is a shard cut off`() throws {
    let codec = ShardIndexCodec(cellCount: 4)
    let output = ByteBuffer()
    codec.encode(ShardIndex(cellCount: 4), onto: output)
    var bytes = Array(output.bytes)
    bytes[20] ^= 1
    expectFault(.checksum, "the index of the shard is damaged") {
      try decode(bytes, codec, 68)
    }
    let garbage = (0..<68).map { UInt8($0 &* 37 & 0xFF) }
    expectFault(.truncated, "the shard is cut off") {
      try decode(garbage, codec, 68)
    }
  }

  @Test(
    arguments: [
      ["index_codecs": [CodecListTests.little, CodecListTests.gzip]],
      ["index_codecs": [CodecListTests.transpose, CodecListTests.little]],
    ] as [JSONObject])
  func `an index of variable size is not supported`(configuration: JSONObject) {
    expectFault(.unsupported, "`index_codecs`") {
      try ShardIndexCodec(sharding(configuration), cellCount: 1)
    }
  }

  @Test(
    arguments: [
      ([:], "`index_codecs` is missing"), (["index_codecs": []], "`index_codecs` is []"),
      (["index_codecs": [["name": "bytes"]]], "`endian` is missing"),
      (["index_codecs": [CodecListTests.little], "index_location": "middle"], "is \"middle\""),
    ] as [(JSONObject, String)])
  func `a wrong configuration of the index is refused`(configuration: JSONObject, words: String) {
    expectFault(.metadata, words) {
      try ShardIndexCodec(sharding(configuration), cellCount: 1)
    }
  }

  private func sharding(_ configuration: JSONObject) throws -> CodecSettings {
    let entry: JSON = ["name": "sharding_indexed", "configuration": .object(configuration)]
    return try CodecSettings(v3: entry, subject: "zarr.json", place: "codecs[0]")
  }

  private func codec(
    _ endian: String, checksum: Bool, cellCount: Int, location: String = "end"
  ) throws -> ShardIndexCodec {
    var codecs: [JSON] = [["name": "bytes", "configuration": ["endian": .string(endian)]]]
    if checksum { codecs.append(["name": "crc32c"]) }
    return try ShardIndexCodec(
      sharding(["index_codecs": .array(codecs), "index_location": .string(location)]),
      cellCount: cellCount)
  }

  private func decode(
    _ bytes: [UInt8], _ codec: ShardIndexCodec, _ shardByteCount: Int
  ) throws -> ShardIndex {
    try bytes.withUnsafeBytes { bytes in
      try codec.decode(bytes, shardByteCount: shardByteCount)
    }
  }
}

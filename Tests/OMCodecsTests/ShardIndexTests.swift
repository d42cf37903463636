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
      ["index_codecs": [CodecListTests.little, ["name": "crc32c"], ["name": "numcodecs.lz4"]]],
      ["index_codecs": [["name": "sharding_indexed", "configuration": [:]]]],
    ] as [JSONObject])
  func `an index of variable size is refused`(configuration: JSONObject) {
    expectFault(.metadata, "no fixed size") {
      try ShardIndexCodec(sharding(configuration), gridShape: [1])
    }
  }

  @Test(arguments: ["rot13", "numcodecs.shuffle"])
  func `other codecs of an index are named`(name: String) {
    let codecs: JSON = [CodecListTests.little, ["name": .string(name)]]
    expectFault(.unsupported, name) {
      try ShardIndexCodec(sharding(["index_codecs": codecs]), gridShape: [1])
    }
  }

  /// Offsets 0, 10, 20 and so on of 2 x 3 cells of 5 bytes, turned round and with two checksums.
  @Test func `an index with turned axes and two checksums is read`() throws {
    let transpose: JSON = ["name": "transpose", "configuration": ["order": [2, 1, 0]]]
    let codecs: JSON = [
      transpose, CodecListTests.little, ["name": "crc32c"], ["name": "crc32c"],
    ]
    let codec = try ShardIndexCodec(sharding(["index_codecs": codecs]), gridShape: [2, 3])
    #expect(codec.encodedByteCount == 6 * 16 + 8)
    var words: [UInt64] = []
    for word in 0..<2 {
      for column in 0..<3 {
        for row in 0..<2 {
          words.append(UInt64(word == 0 ? (row * 3 + column) * 10 : 5).littleEndian)
        }
      }
    }
    var bytes = rawBytes(words)
    for _ in 0..<2 { bytes += checksum(bytes) }
    let index = try decode(bytes, codec, 60 + bytes.count)
    for cell in 0..<6 {
      #expect(try index.range(of: cell, in: 0..<60) == cell * 10..<cell * 10 + 5)
    }
    bytes[3] ^= 1
    expectFault(.checksum, "the index of the shard is damaged") {
      try decode(bytes, codec, 60 + bytes.count)
    }
  }

  private func checksum(_ bytes: [UInt8]) -> [UInt8] {
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
    }
    return rawBytes([(sum ^ UInt32.max).littleEndian])
  }

  @Test(
    arguments: [
      ([:], "`index_codecs` is missing"), (["index_codecs": []], "`index_codecs` is []"),
      (["index_codecs": [["name": "bytes"]]], "`endian` is missing"),
      (["index_codecs": [CodecListTests.little], "index_location": "middle"], "is \"middle\""),
    ] as [(JSONObject, String)])
  func `a wrong configuration of the index is refused`(configuration: JSONObject, words: String) {
    expectFault(.metadata, words) {
      try ShardIndexCodec(sharding(configuration), gridShape: [1])
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
      gridShape: [cellCount])
  }

  private func decode(
    _ bytes: [UInt8], _ codec: ShardIndexCodec, _ shardByteCount: Int
  ) throws -> ShardIndex {
    try bytes.withUnsafeBytes { bytes in
      try codec.decode(bytes, shardByteCount: shardByteCount)
    }
  }
}

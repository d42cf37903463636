import OMCodecs
import OMGrid
import OMJSON
import Testing

/// Each damage is told by its kind, and nothing is read beyond the buffers.
struct DamagedBytesTests {
  @Test(arguments: StoredBytes.hexadecimal.keys.sorted())
  func `a chunk that is cut off anywhere is refused`(name: String) throws {
    let pipeline = try pipeline(compressor: ["id": .string(codec(name))])
    let stored = StoredBytes.bytes(name)
    for count in 0..<stored.count {
      #expect(throws: Fault.self, "\(count) of \(stored.count) bytes") {
        try pipeline.decoded(Array(stored.prefix(count)))
      }
    }
  }

  @Test(arguments: ["zlib", "gzip", "zstd", "lz4", "blosc lz4"])
  func `a chunk without its last bytes is truncated`(name: String) throws {
    let pipeline = try pipeline(compressor: ["id": .string(codec(name))])
    expectFault(.truncated, "cut off") {
      try pipeline.decoded(Array(StoredBytes.bytes(name).dropLast(3)))
    }
  }

  @Test(arguments: ["zlib", "gzip", "zstd", "blosc lz4"])
  func `bytes behind the end are refused`(name: String) throws {
    let pipeline = try pipeline(compressor: ["id": .string(codec(name))])
    expectFault(.codec, "5 bytes follow the end") {
      try pipeline.decoded(StoredBytes.bytes(name) + [1, 2, 3, 4, 5])
    }
  }

  @Test(arguments: ["zlib", "gzip", "zstd", "lz4"])
  func `a chunk that holds more than its shape is damaged`(name: String) throws {
    for length in [511, 64] {
      let pipeline = try pipeline(compressor: ["id": .string(codec(name))], chunkShape: [length])
      expectFault(.codec, "more than the \(2 * length) bytes") {
        try pipeline.decoded(StoredBytes.bytes(name))
      }
    }
  }

  @Test(arguments: ["zlib", "gzip", "zstd"])
  func `a chunk that holds far more than its shape is a bomb`(name: String) throws {
    let pipeline = try pipeline(compressor: ["id": .string(codec(name))], chunkShape: [63])
    expectFault(.limit, "more than the 126 bytes") {
      try pipeline.decoded(StoredBytes.bytes(name))
    }
  }

  @Test(arguments: StoredBytes.hexadecimal.keys.sorted())
  func `a chunk that holds less than its shape is refused`(name: String) throws {
    let pipeline = try pipeline(compressor: ["id": .string(codec(name))], chunkShape: [513])
    expectFault(.codec, "decodes to 1024 bytes, expected 1026") {
      try pipeline.decoded(StoredBytes.bytes(name))
    }
  }

  @Test(arguments: [("zlib", 1), ("gzip", 6), ("gzip", 1), ("zstd, checksum", 1)])
  func `a wrong checksum is told as such`(name: String, fromEnd: Int) throws {
    var stored = StoredBytes.bytes(name)
    stored[stored.count - fromEnd] ^= 0x40
    let pipeline = try pipeline(compressor: ["id": .string(codec(name))])
    expectFault(.checksum, "does not fit") { try pipeline.decoded(stored) }
  }

  @Test func `a flipped bit before crc32c is told with both checksums`() throws {
    let pipeline = try pipeline([["name": "bytes"], ["name": "crc32c"]], chunkShape: [9], .uint8)
    let stored = Array("123456788".utf8) + [0x83, 0x92, 0x06, 0xE3]
    expectFault(.checksum, "expected 0xe3069283") {
      try pipeline.decoded(stored)
    }
  }

  @Test func `raw bytes of the wrong count are refused`() throws {
    let pipeline = try pipeline(compressor: .null, chunkShape: [4])
    expectFault(.truncated, "decodes to 7 bytes, expected 8") {
      try pipeline.decoded(Array(repeating: 1, count: 7))
    }
    expectFault(.codec, "decodes to 9 bytes, expected 8") {
      try pipeline.decoded(Array(repeating: 1, count: 9))
    }
    expectFault(.truncated, "0 bytes") { try pipeline.decoded([]) }
  }

  @Test func `a zstd frame that claims an exbibyte is refused`() throws {
    let frame: [UInt8] = [
      0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x81, 0, 0,
    ]
    let pipeline = try pipeline(compressor: ["id": "zstd"])
    expectFault(.limit, "more than the 1024 bytes") {
      try pipeline.decoded(frame + Array(repeating: 7, count: 16))
    }
  }

  private func codec(_ name: String) -> String { String(name.prefix { $0 != " " && $0 != "," }) }
}

/// Headers of blosc that lie.
struct BloscHeaderTests {
  @Test(arguments: [
    (0, [UInt8(9)], "format version 9"), (3, [0], "type size of 0"),
    (4, [0, 0, 0, 0x7F], "says 2130706432 bytes"), (4, [0, 5], "says 1280 bytes"),
    (12, [0, 0], "bytes follow the end"),
  ])
  func `a wrong field is refused before decoding`(
    place: Int, bytes: [UInt8], words: String
  ) throws {
    var stored = StoredBytes.bytes("blosc lz4")
    stored.replaceSubrange(place..<place + bytes.count, with: bytes)
    let pipeline = try pipeline(compressor: ["id": "blosc"])
    expectFault(.codec, words) { try pipeline.decoded(stored) }
  }

  @Test func `a long run that crashes the blosclz decoder is refused`() throws {
    let count = (8 << 20) + 100
    let header: [UInt8] = [2, 1, 0, 1] + field(16 << 20) + field(16 << 20) + field(count)
    let stored = header + Array(repeating: 0xFF, count: count - header.count)
    let pipeline = try pipeline(compressor: ["id": "blosc"], chunkShape: [16 << 20], .uint8)
    expectFault(.codec, "run of 8388608 bytes of 0xFF") {
      try pipeline.decoded(stored)
    }
  }

  @Test(arguments: 0..<64)
  func `random damage never crashes`(seed: Int) throws {
    var random = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    let pipeline = try pipeline(compressor: ["id": "blosc"])
    for name in StoredBytes.hexadecimal.keys.sorted() where name.hasPrefix("blosc") {
      var stored = StoredBytes.bytes(name)
      for _ in 0..<4 {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        stored[Int(random >> 33) % stored.count] = UInt8(truncatingIfNeeded: random >> 24)
      }
      let decoded = try? pipeline.decoded(stored)
      #expect(decoded == nil || decoded?.count == 1024)
    }
  }

  private func field(_ value: Int) -> [UInt8] { rawBytes([UInt32(value).littleEndian]) }
}

import OMCodecs
import OMGrid
import OMJSON
import Testing

/// What numcodecs stored is read as it was.
struct StoredBytesTests {
  @Test(arguments: StoredBytes.hexadecimal.keys.sorted())
  func `bytes of other writers decode to their voxels`(name: String) throws {
    let codec = String(name.prefix { $0.isLetter || $0.isNumber })
    let decoded = try pipeline(compressor: ["id": .string(codec)])
      .decoded(StoredBytes.bytes(name))
    #expect(decoded == rawBytes(StoredBytes.numbers))
  }

  @Test(arguments: ["zlib", "zstd", "gzip", "lz4", "blosc"])
  func `v3 names of numcodecs hold the same bytes`(codec: String) throws {
    let bytes: JSON = ["name": "bytes", "configuration": ["endian": "little"]]
    let name = StoredBytes.hexadecimal.keys.sorted().first { $0.hasPrefix(codec) } ?? ""
    let decoded = try pipeline([bytes, ["name": .string("numcodecs.\(codec)")]])
      .decoded(StoredBytes.bytes(name))
    #expect(decoded == rawBytes(StoredBytes.numbers))
  }

  @Test func `a context that met damage decodes the next chunk`() throws {
    let context = CodecContext()
    for name in ["gzip", "zstd", "blosc lz4"] {
      let codec = String(name.prefix { $0 != " " })
      let pipeline = try pipeline(compressor: ["id": .string(codec)])
      let stored = StoredBytes.bytes(name)
      #expect(throws: Fault.self) {
        try pipeline.decoded(Array(stored.dropLast(9)), using: context)
      }
      #expect(try pipeline.decoded(stored, using: context) == rawBytes(StoredBytes.numbers))
    }
  }

  @Test func `crc32c has its published check value`() throws {
    let bytes: JSON = ["name": "bytes"]
    let pipeline = try pipeline([bytes, ["name": "crc32c"]], chunkShape: [9], .uint8)
    let text = Array("123456789".utf8)
    #expect(try pipeline.decoded(text + [0x83, 0x92, 0x06, 0xE3]) == text)
  }
}

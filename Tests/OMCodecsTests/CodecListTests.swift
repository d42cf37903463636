import OMCodecs
import OMGrid
import OMJSON
import Testing

/// The rules for codec lists and configurations.
struct CodecListTests {
  static let little: JSON = ["name": "bytes", "configuration": ["endian": "little"]]
  static let sharding: JSON = ["name": "sharding_indexed"]
  static let transpose: JSON = ["name": "transpose", "configuration": ["order": [0]]]
  static let gzip: JSON = ["name": "gzip", "configuration": ["level": 5]]

  @Test(
    arguments: [
      [], "bytes", [gzip], [gzip, little], [transpose], [little, transpose], [little, little],
      [little, sharding], [gzip, transpose, little],
    ] as [JSON])
  func `a list in the wrong order is refused`(codecs: JSON) {
    expectFault(.metadata, "`codecs") { try pipeline(codecs) }
  }

  @Test(
    arguments: [
      ([little, ["name": "rot13"]], "`codecs[1]` is the unknown codec `rot13`"),
      ([["name": "rot13"], little], "`codecs[0]` is the unknown codec `rot13`"),
      ([little, ["name": "rot13", "must_understand": false]], "unknown codec `rot13`"),
    ] as [(JSON, String)])
  func `what is not known is named`(codecs: JSON, words: String) {
    expectFault(.unsupported, words) { try pipeline(codecs) }
  }

  @Test(
    arguments: [
      ([["name": "bytes"]], "`endian` is missing in `codecs[0]`"),
      ([["name": "bytes", "configuration": ["endian": "middle"]]], "is \"middle\""),
      ([["name": "bytes", "configuration": []]], "`configuration` is []"),
      ([little, ["configuration": [:]]], "`name` is missing"),
      ([little, 5], "`codecs[1]` is 5"),
      ([little, ["name": "gzip", "configuration": ["level": 10]]], "`level` of codec `gzip`"),
      ([little, ["name": "zstd", "configuration": ["level": 23]]], "`level` of codec `zstd`"),
      (
        [little, ["name": "blosc", "configuration": ["cname": "lz5"]]], "`cname` of codec `blosc`"
      ),
      (
        [little, ["name": "blosc", "configuration": ["shuffle": 1]]], "`shuffle` of codec `blosc`"
      ),
      ([["name": "transpose", "configuration": ["order": [1]]], little], "`order` of codec"),
      ([["name": "transpose", "configuration": ["order": "C"]], little], "`order` of codec"),
      ([["name": "transpose"], little], "`order` of codec `transpose` in `codecs[0]` is null"),
    ] as [(JSON, String)])
  func `a wrong configuration is refused`(codecs: JSON, words: String) {
    expectFault(.metadata, words) { try pipeline(codecs) }
  }

  @Test(
    arguments: [
      (["id": "snappy"], FaultKind.unsupported, "unknown compressor `snappy`"),
      (["level": 1], .metadata, "expected an object with `id`"),
      (
        ["id": "blosc", "shuffle": 3], .metadata, "`shuffle` of codec `blosc` in `compressor` is 3"
      ),
      (["id": "zlib", "level": "5"], .metadata, "`level` of codec `zlib`"),
    ] as [(JSON, FaultKind, String)])
  func `a v2 compressor that cannot be used is named`(
    compressor: JSON, kind: FaultKind, words: String
  ) {
    expectFault(kind, words) { try pipeline(compressor: compressor) }
  }

  @Test func `a bare name stands for a codec without configuration`() throws {
    let pipeline = try pipeline(["bytes", "crc32c"], chunkShape: [9], .uint8)
    let text = Array("123456789".utf8)
    #expect(try pipeline.decoded(text + [0x83, 0x92, 0x06, 0xE3]) == text)
  }

  @Test func `one byte needs no byte order`() throws {
    #expect(try pipeline([["name": "bytes"]], chunkShape: [2], .int8).decoded([1, 2]) == [1, 2])
  }
}

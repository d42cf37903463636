import OMGrid
import OMJSON
import OMStore
import OMZarr
import Testing

/// The rules for `.zarray`.
struct MetadataV2Tests {
  static let document: JSONObject = [
    "zarr_format": 2, "shape": [4, 6], "chunks": [2, 3], "dtype": ">u2", "compressor": .null,
    "fill_value": 9, "order": "C", "filters": .null,
  ]

  @Test func `a plain document is read`() throws {
    let metadata = try read(Self.document)
    #expect(metadata.zarrFormat == 2)
    #expect(metadata.shape == [4, 6])
    #expect(metadata.dataType == .uint16)
    #expect(metadata.storedChunkShape == [2, 3])
    #expect(metadata.fillValue == [9, 0])
    #expect(metadata.keyEncoding.key([1, 12]) == "1.12")
    #expect(metadata.attributes.isEmpty)
  }

  @Test func `attributes may hold numbers that are not finite`() throws {
    let store = MemoryStore([
      ".zarray": JSON.object(Self.document).bytes(), ".zattrs": Array("{\"a\": NaN}".utf8),
    ])
    #expect(try ArrayMetadata.read(store, path: "").attributes["a"] == .number("NaN"))
  }

  @Test(
    arguments: [
      ("shape", nil, "`shape` is missing"), ("chunks", nil, "`chunks` is missing"),
      ("dtype", nil, "`dtype` is missing"), ("compressor", nil, "`compressor` is missing"),
      ("fill_value", nil, "`fill_value` is missing"), ("order", nil, "`order` is missing"),
      ("filters", nil, "`filters` is missing"), ("chunks", [2, 3, 4], "the array has 2 axes"),
      ("chunks", [2, 0], "[2,0]"), ("order", "K", "`order` is \"K\""), ("dtype", "|u2", "\"|u2\""),
      ("dimension_separator", "-", "\"-\""), ("fill_value", 0.5, "`fill_value` is 0.5"),
      ("fill_value", 70_000, "is 70000"), ("fill_value", "NaN", "is \"NaN\""),
      ("compressor", "zlib", "`compressor` is \"zlib\""),
      ("filters", ["id": "delta"], "expected a list of filters"),
      ("filters", [["id": "delta"]], "`filters[0]` lacks the `dtype`"),
      ("filters", [["id": "shuffle", "elementsize": -1]], "`elementsize` of codec `shuffle`"),
    ] as [(String, JSON?, String)])
  func `a broken rule is told with the value`(key: String, value: JSON?, words: String) {
    expectFault(.metadata, ".zarray", words) { try read(with(key, value)) }
  }

  @Test(
    arguments: [
      ("zarr_format", 3, "`zarr_format` is 3"), ("dtype", "|O", "\"|O\""), ("dtype", "<c8", "<c8"),
      ("dtype", "u2", "\"u2\""), ("dtype", [["a", "<u2"]], "[[\"a\",\"<u2\"]]"),
      ("filters", [["id": "packbits"]], "`filters[0]` is the unknown filter `packbits`"),
      ("filters", [["id": "delta", "dtype": "<f4", "astype": "<i2"]], "stores `float32` as"),
      ("filters", [["id": "delta", "dtype": "<c8"]], "in `filters[0]`: the `dtype` \"<c8\""),
      ("compressor", ["id": "bz2"], "unknown compressor `bz2`"),
    ] as [(String, JSON, String)])
  func `what is not known is named`(key: String, value: JSON, words: String) {
    expectFault(.unsupported, ".zarray", words) { try read(with(key, value)) }
  }

  @Test(
    arguments: [
      ("|b1", true, [1]), ("|b1", 0, [0]), ("|i1", -1, [0xFF]), ("<u2", .null, [0, 0]),
      ("<u2", 7.0, [7, 0]), (">i4", -2, [0xFE, 0xFF, 0xFF, 0xFF]),
      ("<u8", .number("18446744073709551615"), Array(repeating: 0xFF, count: 8)),
      ("<f2", 1.0, [0, 0x3C]), ("<f4", 1, [0, 0, 0x80, 0x3F]),
      ("<f4", "-Infinity", [0, 0, 0x80, 0xFF]),
      ("<f8", "NaN", [0, 0, 0, 0, 0, 0, 0xF8, 0x7F]),
    ] as [(JSON, JSON, [UInt8])])
  func `every form of fill value is read`(dtype: JSON, fill: JSON, bytes: [UInt8]) throws {
    var document = Self.document
    document["dtype"] = dtype
    document["fill_value"] = fill
    #expect(try read(document).fillValue == bytes)
  }

  @Test func `v3 is taken where both are`() throws {
    let store = MemoryStore([
      "zarr.json": JSON.object(MetadataV3Tests.document).bytes(),
      ".zarray": JSON.object(Self.document).bytes(),
    ])
    #expect(try ArrayMetadata.read(store, path: "").zarrFormat == 3)
  }

  @Test func `an array that is not there is missing`() {
    expectFault(.missing, "a/b", "neither `zarr.json` nor `.zarray`") {
      try ArrayMetadata.read(MemoryStore(), path: "a/b")
    }
  }

  private func with(_ key: String, _ value: JSON?) -> JSONObject {
    var document = Self.document
    document[key] = value
    return document
  }

  private func read(_ document: JSONObject) throws -> ArrayMetadata {
    try ArrayMetadata.read(MemoryStore([".zarray": JSON.object(document).bytes()]), path: "")
  }
}

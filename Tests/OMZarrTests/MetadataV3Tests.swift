import OMGrid
import OMJSON
import OMStore
import OMZarr
import Testing

/// The rules for `zarr.json` of an array.
struct MetadataV3Tests {
  static let little: JSON = ["name": "bytes", "configuration": ["endian": "little"]]
  static let document: JSONObject = [
    "zarr_format": 3, "node_type": "array", "shape": [4, 6], "data_type": "uint16",
    "chunk_grid": grid([2, 3]), "chunk_key_encoding": ["name": "default"], "fill_value": 0,
    "codecs": [little], "attributes": ["a": 1], "dimension_names": ["y", .null],
  ]

  static func grid(_ shape: JSON) -> JSON {
    ["name": "regular", "configuration": ["chunk_shape": shape]]
  }

  /// A codec list with shards whose inner chunks have this shape.
  static func shards(
    _ shape: JSON, codecs: JSON = [little], behind first: [JSON] = [], before last: [JSON] = []
  ) -> JSON {
    let configuration: JSON = [
      "chunk_shape": shape, "codecs": codecs, "index_codecs": [little, ["name": "crc32c"]],
    ]
    return .array(first + [["name": "sharding_indexed", "configuration": configuration]] + last)
  }

  private static func codec(_ name: String, _ configuration: JSON) -> JSON {
    ["name": .string(name), "configuration": configuration]
  }

  @Test(arguments: [
    codec("blosc", ["shuffle": "noshuffle"]), codec("blosc", ["cname": "lz4", "clevel": 5]),
    codec("blosc", ["shuffle": "bitshuffle", "typesize": 2]), codec("zstd", ["level": 0]),
    codec("zstd", ["level": 3, "checksum": true]), codec("numcodecs.gzip", ["level": -1]),
    ["name": "crc32c"],
  ])
  func `what may be left out is left out`(codec: JSON) throws {
    #expect(try !read(with("codecs", [Self.little, codec])).isSharded)
  }

  @Test(arguments: ["0x+7fc0001", "0x-1", "0x", "0x1_0", "7fc00001"])
  func `a bit pattern has hexadecimal digits only`(value: String) {
    var document = Self.document
    document["data_type"] = "float32"
    document["fill_value"] = .string(value)
    expectFault(.metadata, "a/zarr.json", "`fill_value` is") { try read(document) }
  }

  @Test func `a plain document is read`() throws {
    let metadata = try read(Self.document)
    #expect(metadata.zarrFormat == 3)
    #expect(metadata.shape == [4, 6])
    #expect(metadata.dataType == .uint16)
    #expect(metadata.storedChunkShape == [2, 3])
    #expect(metadata.innerChunkShape == [2, 3])
    #expect(!metadata.isSharded)
    #expect(metadata.dimensionNames == ["y", nil])
    #expect(metadata.attributes == ["a": 1])
    #expect(metadata.keyEncoding.key([1, 12]) == "c/1/12")
    #expect(metadata.document == .object(Self.document))
  }

  @Test func `members that may be left out may be left out`() throws {
    var document = Self.document
    document["attributes"] = nil
    document["dimension_names"] = nil
    document["storage_transformers"] = []
    document["later"] = ["must_understand": false]
    let metadata = try read(document)
    #expect(metadata.dimensionNames == nil)
    #expect(metadata.attributes.isEmpty)
  }

  @Test(
    arguments: [
      ("shape", nil, "`shape` is missing"), ("data_type", nil, "`data_type` is missing"),
      ("chunk_grid", nil, "`chunk_grid` is missing"), ("codecs", nil, "`codecs` is missing"),
      ("chunk_key_encoding", nil, "`chunk_key_encoding` is missing"),
      ("fill_value", nil, "`fill_value` is missing"), ("node_type", nil, "`node_type` is missing"),
      ("zarr_format", nil, "`zarr_format` is missing"), ("node_type", "group", "is \"group\""),
      ("shape", [4, -6], "[4,-6]"), ("shape", [4, 6.5], "[4,6.5]"), ("shape", 4, "is 4"),
      ("chunk_grid", grid([2, 0]), "[2,0]"), ("chunk_grid", grid([2]), "the array has 2 axes"),
      ("chunk_grid", ["configuration": [:]], "no `name`"),
      ("dimension_names", ["y"], "1 names"), ("dimension_names", ["y", 1], "[\"y\",1]"),
      ("chunk_key_encoding", ["name": "default", "configuration": ["separator": "-"]], "\"-\""),
      ("fill_value", 65_536, "`fill_value` is 65536"), ("fill_value", -1, "is -1"),
      ("fill_value", 1.5, "is 1.5"), ("fill_value", "1", "is \"1\""), ("fill_value", .null, "null"),
      ("codecs", shards([2, 2]), "[2, 2] do not divide the shard of [2, 3]"),
      ("codecs", shards([2]), "the array has 2 axes"), ("codecs", shards([0, 3]), "[0,3]"),
      ("codecs", shards([1, 3], codecs: []), "`codecs[0].configuration.codecs` is []"),
      ("attributes", [], "`attributes` is []"),
      ("codecs", [little, codec("gzip", ["level": -1])], "from 0 to 9"),
      ("codecs", [little, codec("zstd", ["checksum": "yes"])], "`checksum` of codec `zstd`"),
      ("codecs", [little, codec("blosc", ["shuffle": "shuffle"])], "no `typesize`"),
      ("codecs", [little, codec("crc32c", .null)], "`configuration` is null"),
      ("chunk_key_encoding", ["name": "default", "configuration": .null], "is null"),
    ] as [(String, JSON?, String)])
  func `a broken rule is told with the value`(key: String, value: JSON?, words: String) {
    expectFault(.metadata, "a/zarr.json", words) { try read(with(key, value)) }
  }

  @Test(
    arguments: [
      ("zarr_format", 4, "`zarr_format` is 4"), ("zarr_format", "3", "`zarr_format` is \"3\""),
      ("later", ["name": "x"], "the member `later`"), ("data_type", "uint128", "\"uint128\""),
      ("data_type", ["name": "string"], "{\"name\":\"string\"}"),
      ("chunk_grid", ["name": "rectilinear"], "\"rectilinear\""),
      ("chunk_key_encoding", "hilbert", "\"hilbert\""),
      ("storage_transformers", [["name": "x"]], "`storage_transformers`"),
      ("codecs", shards([1, 3], before: [["name": "rot13"]]), "`codecs[1]` is the unknown codec"),
      (
        "codecs", shards([1, 3], codecs: [little, "rot13"]), "`codecs[0].configuration.codecs[1]`"
      ),
    ] as [(String, JSON, String)])
  func `what is not known is named`(key: String, value: JSON, words: String) {
    expectFault(.unsupported, "a/zarr.json", words) { try read(with(key, value)) }
  }

  @Test(
    arguments: [
      ("shape", [.number("4611686018427387904"), 4]),
      ("shape", [.number("18446744073709551616"), 1]),
      ("shape", .array(Array(repeating: 1, count: 33))), ("chunk_grid", grid([65_536, 32_768])),
      ("codecs", shards([.number("4611686018427387904"), 3])),
    ] as [(String, JSON)])
  func `sizes beyond the limits are refused`(key: String, value: JSON) {
    #expect {
      try read(with(key, value))
    } throws: { error in
      (error as? Fault)?.kind == (key == "codecs" ? .metadata : .limit)
    }
  }

  @Test func `the index of a shard has a limit`() {
    var document = Self.document
    document["shape"] = [100_000, 100_000]
    document["chunk_grid"] = Self.grid([100_000, 100_000])
    document["codecs"] = Self.shards([10, 10])
    expectFault(.limit, "a/zarr.json", "the index of a shard") { try read(document) }
  }

  @Test func `a transpose before sharding turns the inner chunk`() throws {
    var document = Self.document
    let transpose: JSON = ["name": "transpose", "configuration": ["order": [1, 0]]]
    document["codecs"] = Self.shards([3, 1], behind: [transpose])
    #expect(try read(document).innerChunkShape == [1, 3])
  }

  private func with(_ key: String, _ value: JSON?) -> JSONObject {
    var document = Self.document
    document[key] = value
    return document
  }

  private func read(_ document: JSONObject) throws -> ArrayMetadata {
    let store = MemoryStore(["a/zarr.json": JSON.object(document).bytes()])
    return try ArrayMetadata.read(store, path: "a")
  }
}

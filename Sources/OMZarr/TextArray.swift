package import OMCodecs
import OMGrid
package import OMJSON
package import OMStore

/// A Zarr array of texts along one axis, which holds no voxels.
///
/// Zarr v3 calls the type `string`; v2 calls it `|O` and packs it by a filter.
package struct TextArray {
  private let store: any Store
  private let path: String
  private let count: Int
  private let chunk: Int
  private let fill: String
  private let keyEncoding: KeyEncoding
  private let codecs: TextCodecs
  /// How inner chunks lie in a shard, and how many texts each has; nil without shards.
  private let shards: (index: ShardIndexCodec, chunk: Int)?

  /// More texts than this are not read into memory.
  private static let maximumCount = 1 << 27

  /// Opens the array of texts at a path.
  ///
  /// - Throws: `missing`, `metadata` or `unsupported` with a key of the store as subject.
  package init(_ store: any Store, path: String) throws(Fault) {
    self.store = store
    self.path = path
    let v3Key = ArrayMetadata.key(path, "zarr.json")
    let v2Key = ArrayMetadata.key(path, ".zarray")
    let v3 = try store.get(v3Key, limit: JSON.maximumBytes)
    let subject = v3 == nil ? v2Key : v3Key
    let found = v3 == nil ? try store.get(v2Key, limit: JSON.maximumBytes) : v3
    guard let bytes = found else {
      throw Fault(.missing, path, "there is no array: neither `zarr.json` nor `.zarray`")
    }
    let format = v3 == nil ? 2 : 3
    let document = try rootObject(
      JSON(parsing: bytes, subject: subject), zarrFormat: format, in: subject)
    let type = document[format == 3 ? "data_type" : "dtype"] ?? .null
    guard type == (format == 3 ? "string" : "|O") else {
      throw Fault(.unsupported, subject, "the type \(type.excerpt) is not that of texts")
    }
    let rules = ShapeRules(subject: subject)
    count = try rules.sizes(document["shape"], "shape", atLeast: 0, rank: 1)[0]
    if count > Self.maximumCount {
      throw Fault(
        .limit, subject, "the array has \(count) texts, the limit is \(Self.maximumCount)")
    }
    fill = document["fill_value"]?.stringValue ?? ""
    if format == 2 {
      chunk = try Self.chunk(document["chunks"], "chunks", rules)
      keyEncoding = try KeyEncoding(v2: document, in: subject)
      codecs = try Self.v2Codecs(document, subject)
      shards = nil
      return
    }
    let grid = try NamedExtension(document, "chunk_grid", in: subject)
    chunk = try Self.chunk(grid.configuration["chunk_shape"], "chunk_shape", rules)
    keyEncoding = try KeyEncoding(v3: document, in: subject)
    let outer = try Self.v3Codecs(document["codecs"], subject)
    guard let sharding = outer.first, sharding.name == "sharding_indexed", outer.count == 1 else {
      codecs = try TextCodecs(v3: outer)
      shards = nil
      return
    }
    let inner = try rules.sizes(
      sharding.configuration["chunk_shape"], "chunk_shape", atLeast: 1, rank: 1)[0]
    guard chunk.isMultiple(of: inner) else {
      throw Fault(
        .metadata, subject, "inner chunks of \(inner) do not divide the shard of \(chunk)")
    }
    // A shard may hang over the end, but not by more cells than any array has texts.
    try rules.index(chunk / inner, elementByteCount: 16, "the index of a shard of")
    codecs = try TextCodecs(v3: try Self.v3Codecs(sharding.configuration["codecs"], subject))
    shards = (try ShardIndexCodec(sharding, gridShape: [chunk / inner]), inner)
  }

  /// How many texts a chunk or shard has, within the limit of an array.
  private static func chunk(
    _ shape: JSON?, _ key: String, _ rules: ShapeRules
  ) throws(Fault) -> Int {
    let count = try rules.sizes(shape, key, atLeast: 1, rank: 1)[0]
    if count > maximumCount {
      throw Fault(
        .limit, rules.subject, "a chunk has \(count) texts, the limit is \(maximumCount)")
    }
    return count
  }

  private static func v3Codecs(
    _ json: JSON?, _ subject: String
  ) throws(Fault) -> [CodecSettings] {
    var codecs: [CodecSettings] = []
    for (number, entry) in (json?.arrayValue ?? []).enumerated() {
      codecs.append(try CodecSettings(v3: entry, subject: subject, place: "codecs[\(number)]"))
    }
    return codecs
  }

  private static func v2Codecs(
    _ document: JSONObject, _ subject: String
  ) throws(Fault) -> TextCodecs {
    let filters = try (document["filters"]?.arrayValue ?? []).map { (entry) throws(Fault) in
      try CodecSettings(v2: entry, subject: subject, place: "filters")
    }
    var compressor: CodecSettings?
    if let entry = document["compressor"], entry != .null {
      compressor = try CodecSettings(v2: entry, subject: subject, place: "compressor")
    }
    return try TextCodecs(v2: filters, compressor: compressor)
  }

  /// Reads all texts.
  ///
  /// - Throws: What the store throws, and for damaged bytes `truncated`, `codec`, `checksum` or
  ///   `limit` with the key as subject.
  package func read(using context: CodecContext) throws(Fault) -> [String] {
    var texts: [String] = []
    for number in 0..<((count + chunk - 1) / chunk) {
      let key = ArrayMetadata.key(path, keyEncoding.key([number]))
      guard let value = try store.open(key) else {
        texts += [String](repeating: fill, count: min(chunk, count - texts.count))
        continue
      }
      let bytes = try value.bytes(at: 0, count: value.size)
      do throws(Fault) {
        let found = try decode(bytes, context)
        if found.count != chunk {
          throw Fault(.codec, "", "the chunk holds \(found.count) texts, expected \(chunk)")
        }
        texts += found
      } catch {
        if error.subject.isEmpty { throw error.below(key) }
        throw error
      }
    }
    return Array(texts.prefix(count))
  }

  private func decode(_ bytes: [UInt8], _ context: CodecContext) throws(Fault) -> [String] {
    guard let shards else { return try decodeChunk(bytes[...], context) }
    let place = try shards.index.indexRange(shardByteCount: bytes.count)
    let stored = Array(bytes[place])
    let index = try read(stored) { (raw) throws(Fault) in
      try shards.index.decode(raw, shardByteCount: bytes.count)
    }
    let content = shards.index.contentRange(shardByteCount: bytes.count)
    var texts: [String] = []
    for cell in 0..<index.cellCount {
      if let range = try index.range(of: cell, in: content) {
        texts += try decodeChunk(bytes[range], context)
      } else {
        if shards.chunk > Self.maximumCount {
          throw Fault(.limit, "", "a chunk has \(shards.chunk) texts")
        }
        texts += [String](repeating: fill, count: shards.chunk)
      }
    }
    return texts
  }

  private func decodeChunk(
    _ bytes: ArraySlice<UInt8>, _ context: CodecContext
  ) throws(Fault) -> [String] {
    try read(Array(bytes)) { (raw) throws(Fault) in try codecs.decode(raw, using: context) }
  }

  private func read<Value>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Fault) -> Value
  ) throws(Fault) -> Value {
    try bytes.withUnsafeBytes { raw in Result { () throws(Fault) in try body(raw) } }.get()
  }

  /// The metadata documents of an array of texts, which lies in chunks without shards.
  package static func documents(
    zarrFormat: Int, count: Int, chunk: Int, _ compression: Compression, attributes: JSONObject
  ) -> [(name: String, document: JSON)] {
    if zarrFormat == 2 {
      let document: JSON = [
        "zarr_format": 2, "shape": [JSON(count)], "chunks": [JSON(chunk)], "dtype": "|O",
        "compressor": compression.v2Compressor(), "fill_value": "", "order": "C",
        "filters": [["id": .string(TextCodecs.name)]], "dimension_separator": "/",
      ]
      return [(".zattrs", .object(attributes)), (".zarray", document)]
    }
    // What compresses is the same as for numbers; what packs is another codec.
    let codecs = compression.v3Codecs(.uint8).arrayValue?.dropFirst() ?? []
    let document: JSON = [
      "zarr_format": 3, "node_type": "array", "shape": [JSON(count)], "data_type": "string",
      "chunk_grid": ["name": "regular", "configuration": ["chunk_shape": [JSON(chunk)]]],
      "chunk_key_encoding": ["name": "default", "configuration": ["separator": "/"]],
      "fill_value": "", "codecs": .array([["name": .string(TextCodecs.name)]] + codecs),
      "attributes": .object(attributes),
    ]
    return [("zarr.json", document)]
  }

  /// The key of a chunk below the array.
  package static func key(_ number: Int, zarrFormat: Int) -> String {
    (zarrFormat == 2 ? KeyEncoding.v2(separator: "/") : .v3()).key([number])
  }
}

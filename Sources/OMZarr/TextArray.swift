import OMCodecs
import OMGrid
package import OMJSON
package import OMStore

/// A list of texts that is stored as an array: names of rows and columns.
package enum TextArray {
  /// Reads all texts of an array along one axis.
  ///
  /// - Parameters:
  ///   - store: Where the array is.
  ///   - path: Its key.
  /// - Returns: The texts in their order.
  /// - Throws: `missing` when there is no array, `metadata` or `unsupported` when it holds no texts
  ///   that can be read, and what decoding throws; the subject is a key of the store.
  package static func read(_ store: any Store, path: String) throws(Fault) -> [String] {
    let v3Key = ArrayMetadata.key(path, "zarr.json")
    if let bytes = try store.get(v3Key, limit: JSON.maximumBytes) {
      return try TextArrayReader(
        v3: JSON(parsing: bytes, subject: v3Key), store, path, subject: v3Key
      ).read()
    }
    let v2Key = ArrayMetadata.key(path, ".zarray")
    guard let bytes = try store.get(v2Key, limit: JSON.maximumBytes) else {
      throw Fault(.missing, path, "there is no array")
    }
    return try TextArrayReader(
      v2: JSON(parsing: bytes, subject: v2Key), store, path, subject: v2Key
    ).read()
  }
}

private struct TextArrayReader {
  let store: any Store
  let path: String
  let count: Int
  let chunk: Int
  let key: (Int) -> String
  let pipeline: TextPipeline
  /// The index of a shard, and how many texts its inner chunks hold; nil without shards.
  var shard: (index: ShardIndexCodec, chunk: Int)?

  init(v2 json: JSON, _ store: any Store, _ path: String, subject: String) throws(Fault) {
    let document = try rootObject(json, zarrFormat: 2, in: subject)
    (count, chunk) = try TextArrayReader.sizes(
      try document.required("shape", .integers, in: subject),
      try document.required("chunks", .integers, in: subject), subject)
    guard document["dtype"] == "|O" else {
      throw Fault(
        .unsupported, subject, "`dtype` is \((document["dtype"] ?? .null).excerpt), expected texts")
    }
    pipeline = try TextPipeline(
      v2: document["filters"] ?? .null, compressor: document["compressor"] ?? .null,
      subject: subject)
    self.store = store
    self.path = path
    key = { String($0) }
  }

  init(v3 json: JSON, _ store: any Store, _ path: String, subject: String) throws(Fault) {
    let document = try rootObject(json, zarrFormat: 3, in: subject)
    (count, chunk) = try TextArrayReader.sizes(
      try document.required("shape", .integers, in: subject),
      try document.required("chunk_grid", .object, in: subject)["configuration"]?["chunk_shape"]?
        .arrayValue?.compactMap(\.intValue) ?? [], subject)
    guard document["data_type"] == "string" else {
      throw Fault(
        .unsupported, subject,
        "`data_type` is \((document["data_type"] ?? .null).excerpt), expected `string`")
    }
    let encoding = document["chunk_key_encoding"]
    let separator = encoding?["configuration"]?["separator"]?.stringValue
    key = encoding?["name"] == "v2" ? { String($0) } : { "c\(separator ?? "/")\($0)" }
    var codecs = try document.required("codecs", .array, in: subject)
    if codecs.count == 1, codecs[0]["name"] == "sharding_indexed" {
      let chain = try CodecChain(v3: .array(codecs), key: "codecs", subject: subject)
      let inner = chain.serializer.configuration["chunk_shape"]?.arrayValue ?? []
      guard inner.count == 1, let size = inner[0].intValue, size > 0, chunk.isMultiple(of: size)
      else { throw Fault(.metadata, subject, "`chunk_shape` of the shards does not divide them") }
      shard = (try ShardIndexCodec(chain.serializer, cellCount: chunk / size), size)
      codecs = chain.serializer.configuration["codecs"]?.arrayValue ?? []
    }
    pipeline = try TextPipeline(v3: codecs, key: "codecs", subject: subject)
    self.store = store
    self.path = path
  }

  private static func sizes(
    _ shape: [Int], _ chunk: [Int], _ subject: String
  ) throws(Fault) -> (count: Int, chunk: Int) {
    guard shape.count == 1, chunk.count == 1, shape[0] >= 0, chunk[0] > 0 else {
      throw Fault(.metadata, subject, "the shape is \(shape) in chunks of \(chunk), expected a list")
    }
    // Each text takes four bytes at least.
    if shape[0] > Limits.current.metadata || chunk[0] > Limits.current.metadata {
      throw Fault(.limit, subject, "there are \(shape[0]) texts in chunks of \(chunk[0])")
    }
    return (shape[0], chunk[0])
  }

  func read() throws(Fault) -> [String] {
    let context = CodecContext()
    var texts: [String] = []
    var start = 0
    while start < count {
      let key = ArrayMetadata.key(path, key(start / chunk))
      do throws(Fault) {
        if let bytes = try store.get(key, limit: Limits.current.metadata) {
          for part in try parts(bytes) { texts += try part.texts(pipeline, context) }
        } else {
          texts += [String](repeating: "", count: chunk)
        }
      } catch {
        throw error.subject.isEmpty ? error.below(key) : error
      }
      start += chunk
      if texts.count < min(start, count) {
        throw Fault(.codec, key, "the chunk holds too few texts")
      }
      // A chunk hangs over the end of the list.
      texts.removeLast(max(0, texts.count - min(start, count)))
    }
    return texts
  }

  /// Encoded texts, or as many empty ones.
  private struct Part {
    let bytes: [UInt8]?
    let count: Int

    func texts(_ pipeline: TextPipeline, _ context: CodecContext) throws(Fault) -> [String] {
      guard let bytes else { return [String](repeating: "", count: count) }
      return try pipeline.texts(in: bytes, using: context)
    }
  }

  /// The inner chunks of a shard, or the whole chunk.
  private func parts(_ bytes: [UInt8]) throws(Fault) -> [Part] {
    guard let shard else { return [Part(bytes: bytes, count: chunk)] }
    let range = try shard.index.indexRange(shardByteCount: bytes.count)
    var decoded: Result<ShardIndex, Fault> = .success(ShardIndex(cellCount: 0))
    bytes[range].withUnsafeBytes { raw in
      do throws(Fault) {
        decoded = .success(try shard.index.decode(raw, shardByteCount: bytes.count))
      } catch {
        decoded = .failure(error)
      }
    }
    let index = try decoded.get()
    let content = shard.index.contentRange(shardByteCount: bytes.count)
    return try (0..<index.cellCount).map { (cell) throws(Fault) in
      let place = try index.range(of: cell, in: content)
      return Part(bytes: place.map { Array(bytes[$0]) }, count: shard.chunk)
    }
  }
}

import OMCodecs
import OMGrid
import OMJSON

extension ArrayMetadata {
  /// Reads a v3 document.
  ///
  /// - Parameters:
  ///   - json: The document `zarr.json`.
  ///   - subject: Its key, for messages.
  /// - Throws: `metadata`, `limit` or `unsupported`.
  init(v3 json: JSON, subject: String) throws(Fault) {
    let document = try rootObject(json, zarrFormat: 3, in: subject)
    let nodeType = try document.required("node_type", .string, in: subject)
    guard nodeType == "array" else {
      throw Fault(.metadata, subject, "`node_type` is \"\(nodeType)\", expected \"array\"")
    }
    try refuseUnknownMembers(document, known: Self.v3Members, in: subject)
    try refuseTransformers(document, in: subject)

    let rules = ShapeRules(subject: subject)
    let shape = try rules.sizes(document["shape"], "shape", atLeast: 0)
    let dataType = try v3DataType(document.required("data_type", .any, in: subject), in: subject)
    try rules.byteCount(shape, elementByteCount: dataType.byteCount, "an array of")
    let storedChunkShape = try v3ChunkShape(document, rules, rank: shape.count)
    let codecs = try document.required("codecs", .any, in: subject)
    let chain = try CodecChain(v3: codecs, key: "codecs", subject: subject)

    zarrFormat = 3
    self.shape = shape
    self.dataType = dataType
    fillValue = try FillValue(dataType: dataType, subject: subject).v3(document["fill_value"])
    self.storedChunkShape = storedChunkShape
    keyEncoding = try KeyEncoding(v3: document, in: subject)
    dimensionNames = try v3DimensionNames(document, rank: shape.count, in: subject)
    attributes = try document.optional("attributes", .object, in: subject) ?? JSONObject()
    self.document = json
    // Shards behind which further codecs stand can only be decoded whole, as chunks.
    if chain.isSharded, chain.byteCodecs.isEmpty {
      let layout = try ShardLayout(chain, shardShape: storedChunkShape)
      try rules.chunk(layout.innerChunkShape, elementByteCount: dataType.byteCount)
      sharding = layout
      pipeline = try CodecPipeline(
        v3: layout.innerChain, chunkShape: layout.innerChunkShape, dataType: dataType,
        fillValue: fillValue)
    } else {
      try rules.chunk(storedChunkShape, elementByteCount: dataType.byteCount)
      sharding = nil
      pipeline = try CodecPipeline(
        v3: chain, chunkShape: storedChunkShape, dataType: dataType, fillValue: fillValue)
    }
  }

  /// The members of an array's document; `consolidated_metadata` occurs for historical reasons.
  private static let v3Members: Set<String> = [
    "zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding",
    "fill_value", "codecs", "attributes", "storage_transformers", "dimension_names",
    "consolidated_metadata",
  ]
}

/// Refuses members that a reader has to understand: all that do not say otherwise.
func refuseUnknownMembers(
  _ document: JSONObject, known: Set<String>, in subject: String
) throws(Fault) {
  for (key, value) in document.members where !known.contains(key) {
    if value["must_understand"]?.boolValue == false { continue }
    throw Fault(
      .unsupported, subject,
      "the member `\(key)` is not known and does not say `must_understand` false")
  }
}

private func refuseTransformers(_ document: JSONObject, in subject: String) throws(Fault) {
  let key = "storage_transformers"
  guard let entries = try document.optional(key, .array, in: subject), let first = entries.first
  else { return }
  throw Fault(.unsupported, subject, "`\(key)` has \(first.excerpt), none are supported")
}

private func v3DataType(_ json: JSON, in subject: String) throws(Fault) -> DataType {
  if let dataType = json.stringValue.flatMap(DataType.init(rawValue:)) { return dataType }
  throw Fault(
    .unsupported, subject, "the `data_type` \(json.excerpt) is not supported",
    facts: ["supported: \(DataType.allCases.map(\.rawValue).joined(separator: ", "))"])
}

private func v3ChunkShape(
  _ document: JSONObject, _ rules: ShapeRules, rank: Int
) throws(Fault) -> [Int] {
  let grid = try NamedExtension(document, "chunk_grid", in: rules.subject)
  guard grid.name == "regular" else { throw grid.unsupported(known: ["regular"]) }
  let shape = try rules.sizes(
    grid.configuration["chunk_shape"], "chunk_grid.configuration.chunk_shape", atLeast: 1,
    rank: rank)
  try rules.byteCount(shape, elementByteCount: 1, "a stored chunk of")
  return shape
}

private func v3DimensionNames(
  _ document: JSONObject, rank: Int, in subject: String
) throws(Fault) -> [String?]? {
  let key = "dimension_names"
  guard let names = try document.optional(key, .array, in: subject) else { return nil }
  guard names.allSatisfy({ $0 == .null || $0.stringValue != nil }) else {
    throw Fault(
      .metadata, subject,
      "`\(key)` is \(JSON.array(names).excerpt), expected a list of strings or nulls")
  }
  guard names.count == rank else {
    throw Fault(
      .metadata, subject, "`\(key)` has \(names.count) names, the array has \(rank) axes")
  }
  return names.map(\.stringValue)
}

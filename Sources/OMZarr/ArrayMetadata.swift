package import OMCodecs
package import OMGrid
package import OMJSON
package import OMStore

/// What `zarr.json` or `.zarray` says about an array, checked against every rule before it is used.
package struct ArrayMetadata: Sendable {
  /// 2 or 3.
  package let zarrFormat: Int
  /// The shape of the array.
  package let shape: [Int]
  /// The type of its voxels.
  package let dataType: DataType
  /// One voxel of a chunk that is not stored, in the byte order of this machine.
  package let fillValue: [UInt8]
  /// The shape of what one key holds, in array axes: the shard when the array is sharded.
  package let storedChunkShape: [Int]
  /// How positions of stored chunks become keys.
  package let keyEncoding: KeyEncoding
  /// Whether chunk keys are such as `0.0.0`.
  package var hasKeysWithDots: Bool { keyEncoding.separator == "." }
  /// The names of the axes where the document has them.
  package let dimensionNames: [String?]?
  /// The attributes of users.
  package let attributes: JSONObject
  /// The whole document, as it was read.
  package let document: JSON
  /// The codecs of a readable chunk.
  package let pipeline: CodecPipeline
  /// How readable chunks lie in a shard; nil when the array is not sharded.
  let sharding: ShardLayout?

  /// Whether one key holds many chunks.
  package var isSharded: Bool { sharding != nil }

  /// The shape of the smallest part that can be read, in array axes.
  package var innerChunkShape: [Int] { pipeline.chunkShape }

  /// What a writer uses to compress like this array.
  package var compression: Compression { pipeline.compression }

  /// The name of a document in messages and in the store.
  static func key(_ path: String, _ name: String) -> String {
    path.isEmpty ? name : "\(path)/\(name)"
  }

  /// Reads the metadata of the array at a path, v3 before v2.
  ///
  /// - Parameters:
  ///   - store: Where the array is.
  ///   - path: Its key; empty for the root.
  /// - Returns: Metadata that hold together.
  /// - Throws: `missing` when there is no array, `json`, `metadata`, `limit` or `unsupported` for
  ///   documents that cannot be used, and what the store throws.
  package static func read(
    _ store: any Store, path: String
  ) throws(Fault) -> ArrayMetadata {
    let v3Key = key(path, "zarr.json")
    if let bytes = try store.get(v3Key, limit: JSON.maximumBytes) {
      return try ArrayMetadata(v3: JSON(parsing: bytes, subject: v3Key), subject: v3Key)
    }
    let v2Key = key(path, ".zarray")
    if let bytes = try store.get(v2Key, limit: JSON.maximumBytes) {
      let attributes = try readV2Attributes(store, path: path)
      return try ArrayMetadata(
        v2: JSON(parsing: bytes, subject: v2Key), attributes: attributes, subject: v2Key)
    }
    throw Fault(
      .missing, path.isEmpty ? store.description : path,
      "there is no array: neither `zarr.json` nor `.zarray`")
  }
}

/// Reads `.zattrs` of a v2 node; absent means no attributes.
func readV2Attributes(_ store: any Store, path: String) throws(Fault) -> JSONObject {
  let key = ArrayMetadata.key(path, ".zattrs")
  guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { return JSONObject() }
  let document = try JSON(parsing: bytes, subject: key, lenient: true)
  guard let attributes = document.objectValue else {
    throw Fault(.metadata, key, "the document is \(document.kindName), expected an object")
  }
  return attributes
}

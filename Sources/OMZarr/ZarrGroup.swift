package import OMJSON
package import OMStore

/// A group in a store.
package struct ZarrGroup: Sendable {
  /// 2 or 3.
  package let zarrFormat: Int
  /// The attributes of users.
  package let attributes: JSONObject
  /// The document `zarr.json` or `.zgroup`, as it was read.
  package let document: JSON

  /// Reads the group at a path, v3 before v2.
  ///
  /// - Parameters:
  ///   - store: Where the group is.
  ///   - path: Its key; empty for the root.
  /// - Returns: The group, or nil when nothing is there or an array.
  /// - Throws: `json`, `metadata` or `unsupported`, and what the store throws.
  package static func open(_ store: any Store, path: String) throws(Fault) -> ZarrGroup? {
    let v3Key = ArrayMetadata.key(path, "zarr.json")
    if let bytes = try store.get(v3Key, limit: JSON.maximumBytes) {
      return try v3(JSON(parsing: bytes, subject: v3Key), subject: v3Key)
    }
    let v2Key = ArrayMetadata.key(path, ".zgroup")
    guard let bytes = try store.get(v2Key, limit: JSON.maximumBytes) else { return nil }
    let document = try JSON(parsing: bytes, subject: v2Key)
    _ = try rootObject(document, zarrFormat: 2, in: v2Key)
    return ZarrGroup(
      zarrFormat: 2, attributes: try readV2Attributes(store, path: path), document: document)
  }

  private static func v3(_ json: JSON, subject: String) throws(Fault) -> ZarrGroup? {
    let document = try rootObject(json, zarrFormat: 3, in: subject)
    switch try document.required("node_type", .string, in: subject) {
    case "group": break
    case "array": return nil
    case let other:
      throw Fault(
        .metadata, subject, "`node_type` is \"\(other)\", expected \"group\" or \"array\"")
    }
    try refuseUnknownMembers(
      document, known: ["zarr_format", "node_type", "attributes", "consolidated_metadata"],
      in: subject)
    return ZarrGroup(
      zarrFormat: 3,
      attributes: try document.optional("attributes", .object, in: subject) ?? JSONObject(),
      document: json)
  }
}

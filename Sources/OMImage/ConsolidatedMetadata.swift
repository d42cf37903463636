package import OMJSON
package import OMStore

/// The copy of all metadata below a group that some writers keep in it, and how it stays true.
package enum ConsolidatedMetadata {
  /// A change to a hierarchy; keys are those of the store.
  package struct Change: Sendable {
    /// The documents that were written.
    package var written: [MetadataDocument]
    /// The node that was replaced: what the copy says about it and all below it goes.
    package var replaced: String?

    /// Makes a change.
    package init(written: [MetadataDocument], replaced: String? = nil) {
      self.written = written
      self.replaced = replaced
    }
  }

  /// The groups that may hold a copy of an image's metadata: the image and all groups above it.
  package static func holders(of image: String) -> [String] {
    var parts = image.split(separator: "/")
    var holders = [image]
    while !parts.isEmpty {
      parts.removeLast()
      holders.append(parts.joined(separator: "/"))
    }
    return holders
  }

  /// The document of a group with its copy brought up to date.
  ///
  /// - Parameters:
  ///   - group: The key of the group.
  ///   - store: The hierarchy.
  ///   - zarrFormat: 2 or 3.
  ///   - changes: What was written below the group.
  /// - Returns: The document to write, or nil when the group keeps no copy or it is true already.
  /// - Throws: `json`, `metadata` or `limit` when the document cannot be used; the subject is a key
  ///   of the store.
  package static func updated(
    _ group: String, in store: any Store, zarrFormat: Int, by changes: [Change]
  ) throws(Fault) -> MetadataDocument? {
    let key = joinedKey(group, zarrFormat == 2 ? ".zmetadata" : "zarr.json")
    guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { return nil }
    let json = try JSON(parsing: bytes, subject: key, lenient: true)
    guard var document = json.objectValue else {
      throw Fault(.metadata, key, "the document is \(json.kindName), expected an object")
    }
    if zarrFormat == 2 {
      let entries = try document.required("metadata", .object, in: key)
      document["metadata"] = .object(apply(changes, to: entries, below: group, entryKeyV2))
    } else {
      guard var copy = try document.optional("consolidated_metadata", .object, in: key) else {
        return nil
      }
      let entries = try copy.required("metadata", .object, in: key)
      copy["metadata"] = .object(apply(changes, to: entries, below: group, entryKeyV3))
      document["consolidated_metadata"] = .object(copy)
    }
    let changed = JSON.object(document)
    return changed == json ? nil : MetadataDocument(key: key, json: changed)
  }

  /// The entries of a copy after the changes; what stays keeps its place.
  private static func apply(
    _ changes: [Change], to entries: JSONObject, below group: String,
    _ entryKey: (String) -> String?
  ) -> JSONObject {
    var written: [(key: String, value: JSON)] = []
    for document in changes.flatMap(\.written) {
      if let name = relativeKey(document.key, to: group).flatMap(entryKey) {
        written.append((name, document.json))
      }
    }
    let gone = changes.compactMap(\.replaced).compactMap { relativeKey($0, to: group) }
    let isGone = { (key: String) in gone.contains { key == $0 || key.hasPrefix("\($0)/") } }
    // The same document may be written twice, such as a list that two labels were added to.
    let values = Dictionary(written.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    var members = entries.members.compactMap { key, value in
      values[key].map { (key, $0) } ?? (isGone(key) ? nil : (key, value))
    }
    var known = Set(members.map(\.0))
    for (key, _) in written where known.insert(key).inserted {
      members.append((key, values[key] ?? .null))
    }
    return JSONObject(members: members.map { (key: $0.0, value: $0.1) })
  }

  /// In v2 the copy is sorted under the names of the documents.
  private static func entryKeyV2(_ key: String) -> String? { key }

  /// In v3 the copy is sorted under the names of the nodes; the group itself is not in it.
  private static func entryKeyV3(_ key: String) -> String? {
    let suffix = "/zarr.json"
    return key.hasSuffix(suffix) ? String(key.dropLast(suffix.count)) : nil
  }

  /// A key as seen from a group above it; nil when it is not below the group.
  private static func relativeKey(_ key: String, to group: String) -> String? {
    if group.isEmpty { return key }
    return key.hasPrefix(group + "/") ? String(key.dropFirst(group.count + 1)) : nil
  }
}

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
    /// The group below which this happened: a copy that does not know it stays without the change;
    /// nil makes it in every copy.
    package var within: String?

    /// Makes a change.
    package init(
      written: [MetadataDocument], replaced: String? = nil, within: String? = nil
    ) {
      self.written = written
      self.replaced = replaced
      self.within = within
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

  /// The document that holds the copy of a group.
  package static func key(_ group: String, zarrFormat: Int) -> String {
    joinedKey(group, zarrFormat == 2 ? ".zmetadata" : "zarr.json")
  }

  /// The Zarr format of the copy that a group keeps; nil when it keeps none.
  ///
  /// - Throws: As `updated`.
  package static func formatOfCopy(
    _ group: String, in store: any Store
  ) throws(Fault) -> Int? {
    if try store.stamp(key(group, zarrFormat: 2)) != nil { return 2 }
    let key = key(group, zarrFormat: 3)
    guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { return nil }
    let json = try JSON(parsing: bytes, subject: key, lenient: true)
    let copy = try json.objectValue?.optional("consolidated_metadata", .object, in: key)
    return copy == nil ? nil : 3
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
    let key = key(group, zarrFormat: zarrFormat)
    guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { return nil }
    return try updated(bytes, of: group, zarrFormat: zarrFormat, by: changes)
  }

  /// The document of a group with its copy brought up to date, from the bytes of the document.
  ///
  /// - Parameters:
  ///   - bytes: The document as it is.
  ///   - group: The key of the group.
  ///   - zarrFormat: 2 or 3.
  ///   - changes: What was written below the group.
  /// - Returns: As for a store.
  /// - Throws: As for a store.
  package static func updated(
    _ bytes: [UInt8], of group: String, zarrFormat: Int, by changes: [Change]
  ) throws(Fault) -> MetadataDocument? {
    let key = key(group, zarrFormat: zarrFormat)
    let json = try JSON(parsing: bytes, subject: key, lenient: true)
    guard var document = json.objectValue else {
      throw Fault(.metadata, key, "the document is \(json.kindName), expected an object")
    }
    if zarrFormat == 2 {
      let entries = try document.required("metadata", .object, in: key)
      document["metadata"] = .object(
        CopiedEntries(entries, of: group, zarrFormat: 2).applying(changes))
    } else {
      guard var copy = try document.optional("consolidated_metadata", .object, in: key) else {
        return nil
      }
      let entries = try copy.required("metadata", .object, in: key)
      copy["metadata"] = .object(
        CopiedEntries(entries, of: group, zarrFormat: 3).applying(changes))
      document["consolidated_metadata"] = .object(copy)
    }
    let changed = JSON.object(document)
    return changed == json ? nil : MetadataDocument(key: key, json: changed)
  }
}

package import OMJSON

/// A metadata file to be written.
package struct MetadataDocument: Sendable, Equatable {
  /// Where it goes, below the folder that the maker of the document names.
  package let key: String
  /// What it says.
  package let json: JSON

  /// Makes a document.
  package init(key: String, json: JSON) {
    self.key = key
    self.json = json
  }

  /// The bytes of the file.
  package var bytes: [UInt8] { json.bytes(indent: 2) }

  /// The same document below a folder.
  package func below(_ folder: String) -> MetadataDocument {
    MetadataDocument(key: joinedKey(folder, key), json: json)
  }
}

/// A key below another one; either may be empty for the root.
package func joinedKey(_ folder: String, _ name: String) -> String {
  folder.isEmpty ? name : name.isEmpty ? folder : "\(folder)/\(name)"
}

/// The documents of a group with these attributes.
///
/// - Parameters:
///   - path: The key of the group.
///   - zarrFormat: 2 or 3.
///   - attributes: Everything that users and OME-Zarr put there.
/// - Returns: `zarr.json`, or `.zgroup` and `.zattrs`.
package func groupDocuments(
  _ path: String, zarrFormat: Int, attributes: JSONObject
) -> [MetadataDocument] {
  if zarrFormat == 3 {
    let document: JSON = [
      "zarr_format": 3, "node_type": "group", "attributes": .object(attributes),
    ]
    return [MetadataDocument(key: joinedKey(path, "zarr.json"), json: document)]
  }
  let group = MetadataDocument(key: joinedKey(path, ".zgroup"), json: ["zarr_format": 2])
  if attributes.isEmpty { return [group] }
  return [group, MetadataDocument(key: joinedKey(path, ".zattrs"), json: .object(attributes))]
}

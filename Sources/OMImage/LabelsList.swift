package import OMJSON
package import OMStore
import OMZarr

/// The label images that an image lists in its `labels` group, or the tables in its `tables` group.
package struct LabelsList: Sendable {
  private let shelf: Shelf
  private let version: OMEVersion
  /// The whole document that holds the list; nil when the image has no labels yet.
  private let document: JSONObject?
  /// The paths of the results below the group, in the order of the list.
  package let names: [String]

  /// Reads a list of an image.
  ///
  /// - Throws: `metadata` when the list is not a list of names, `path` when a name leads out of the
  ///   group; the subject is a key of the store.
  package static func read(
    _ store: any Store, image: String, version: OMEVersion, shelf: Shelf = .labels
  ) throws(Fault) -> LabelsList {
    let path = joinedKey(image, shelf.name)
    guard let zarr = try ZarrGroup.open(store, path: path) else {
      // Another run may have made the first list since it was looked for; not on a server.
      if !store.isRemote, try store.stamp(path) != nil, try holdsGroup(store, path, shelf) {
        return try read(store, image: image, version: version, shelf: shelf)
      }
      return LabelsList(shelf: shelf, version: version, document: nil, names: [])
    }
    if zarr.zarrFormat != version.zarrFormat {
      throw Fault(
        .metadata, path,
        "the group is Zarr v\(zarr.zarrFormat), its image is Zarr v\(version.zarrFormat)")
    }
    let subject = joinedKey(path, zarr.zarrFormat == 2 ? ".zattrs" : "zarr.json")
    var keys = zarr.attributes
    if shelf == .labels {
      keys =
        try OMEGroup(path: path, zarrFormat: zarr.zarrFormat, attributes: zarr.attributes).keys
    }
    let names = try keys.optional(shelf.name, .strings, in: subject) ?? []
    for name in names { _ = try checkedKey(name, subject: subject) }
    let document = zarr.zarrFormat == 2 ? zarr.attributes : zarr.document.objectValue
    return LabelsList(shelf: shelf, version: version, document: document, names: names)
  }

  /// Reads the list from the bytes of the document that holds it.
  ///
  /// - Parameters:
  ///   - bytes: The document; nil when there is none.
  ///   - subject: The document, as messages should name it.
  ///   - version: The version of the image.
  ///   - shelf: The group that lists.
  /// - Returns: The list.
  /// - Throws: `json` for bytes that are no document, else as `read`; the subject is the document.
  package static func parse(
    _ bytes: [UInt8]?, subject: String, version: OMEVersion, shelf: Shelf = .labels
  ) throws(Fault) -> LabelsList {
    guard let bytes else {
      return LabelsList(shelf: shelf, version: version, document: nil, names: [])
    }
    var documents = ["\(shelf.name)/\(version.documentName)": bytes]
    if version.zarrFormat == 2 {
      documents["\(shelf.name)/.zgroup"] = Array(#"{"zarr_format":2}"#.utf8)
    }
    do throws(Fault) {
      return try read(MemoryStore(documents), image: "", version: version, shelf: shelf)
    } catch {
      var fault = error
      fault.subject = subject
      throw fault
    }
  }

  /// Whether there is a group by now; an array is refused.
  private static func holdsGroup(
    _ store: any Store, _ path: String, _ shelf: Shelf
  ) throws(Fault) -> Bool {
    let key = joinedKey(path, "zarr.json")
    if let bytes = try store.get(key, limit: JSON.maximumBytes) {
      if try JSON(parsing: bytes, subject: key)["node_type"] != "array" { return true }
      throw Fault(.metadata, key, "this is an array, expected the group of \(shelf.noun)s")
    }
    let array = joinedKey(path, ".zarray")
    if try store.stamp(array) != nil {
      throw Fault(.metadata, array, "this is an array, expected the group of \(shelf.noun)s")
    }
    return try store.stamp(joinedKey(path, ".zgroup")) != nil
  }

  /// The documents that make the image list more results.
  ///
  /// Order, unknown members and the text of numbers stay as they were read.
  ///
  /// - Returns: The changed or new documents, with keys below the image; none when all names are
  ///   listed already.
  package func adding(_ added: [String]) -> [MetadataDocument] {
    var all = names
    for name in added where !all.contains(name) { all.append(name) }
    if all.count == names.count && document != nil { return [] }
    let list = JSON.array(all.map(JSON.string))
    guard let document else {
      let attributes =
        shelf == .labels ? version.attributes([shelf.name: list]) : [shelf.name: list]
      return groupDocuments(shelf.name, zarrFormat: version.zarrFormat, attributes: attributes)
    }
    let changed = version.zarrFormat == 2 ? changed(document, list) : changedV3(document, list)
    return [MetadataDocument(key: "\(shelf.name)/\(version.documentName)", json: .object(changed))]
  }

  /// The documents that make the image list one more label image.
  ///
  /// - Returns: As for several names.
  package func adding(_ name: String) -> [MetadataDocument] { adding([name]) }

  private func changed(_ holder: JSONObject, _ list: JSON) -> JSONObject {
    var holder = holder
    holder[shelf.name] = list
    return holder
  }

  private func changedV3(_ document: JSONObject, _ list: JSON) -> JSONObject {
    var document = document
    var attributes = document["attributes"]?.objectValue ?? JSONObject()
    if shelf != .labels || attributes["ome"] == nil && attributes[shelf.name] != nil {
      attributes = changed(attributes, list)
    } else {
      var ome = attributes["ome"]?.objectValue ?? JSONObject()
      if ome["version"] == nil { ome["version"] = .string(version.rawValue) }
      attributes["ome"] = .object(changed(ome, list))
    }
    document["attributes"] = .object(attributes)
    return document
  }
}

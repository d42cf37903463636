import OMJSON
import OMStore

/// A document that holds nodes of RFC-8: metadata of a group, or a JSON file.
struct CollectionDocument {
  /// The hierarchy it lies in.
  let store: any Store
  /// The key of the folder that its paths begin at.
  let folder: String
  /// The document, as messages name it.
  let subject: String
  /// The node at its root.
  let root: JSONObject

  /// What tells it from all others.
  var identity: String { joinedKey(store.description, subject) }

  /// The file that holds a collection where no group does.
  static let fileName = "collection.json"

  /// A group whose metadata are a node.
  init(_ group: OMEGroup, in store: any Store) {
    self.store = store
    folder = group.path
    subject = group.subject
    root = group.keys
  }

  /// Reads a JSON file.
  ///
  /// - Returns: The document, or nil when there is no such file.
  /// - Throws: `json` or `metadata` when it is none, and what the store throws.
  init?(file key: String, in store: any Store) throws(Fault) {
    guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { return nil }
    self.store = store
    folder = key.lastIndex(of: "/").map { String(key[..<$0]) } ?? ""
    subject = key
    guard let document = try JSON(parsing: bytes, subject: key).objectValue else {
      throw Fault(.metadata, key, "this is no object, expected one with `ome`")
    }
    root = try document.required("ome", .object, in: key)
    if !CollectionNode.isNode(root) {
      throw Fault(
        .metadata, key, "`ome` is no collection, `type` with `nodes` or `path` is missing")
    }
  }
}

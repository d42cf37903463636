import OMJSON

/// A node of RFC-8 as any of its drafts writes it.
struct CollectionNode {
  /// What a node is.
  enum Kind: Equatable {
    case collection, multiscale, singlescale
    /// A type with a prefix, or one that is not known: nobody but its maker can tell what it is.
    case other
  }

  /// Where a path of a node leads.
  struct Target {
    /// `zarr` or `json`.
    let kind: String
    /// The path as it is written.
    let path: String
  }

  let kind: Kind
  /// What people call it.
  let name: String
  let attributes: JSONObject
  /// The nodes in it; nil when it has none of its own.
  let nodes: [JSONObject]?
  /// Where it is kept; nil when it is all here.
  let target: Target?

  /// Reads a node.
  ///
  /// - Parameters:
  ///   - json: The node.
  ///   - subject: The document.
  /// - Throws: `metadata` for one that cannot be told, `unsupported` for a path of an unknown type.
  init(_ json: JSONObject, subject: String) throws(Fault) {
    let type = try json.required("type", .string, in: subject)
    kind =
      switch type {
      case "collection": .collection
      case "multiscale": .multiscale
      case "singlescale": .singlescale
      default: .other
      }
    name = json["name"]?.stringValue ?? json["id"]?.stringValue ?? type
    attributes = try json.optional("attributes", .object, in: subject) ?? JSONObject()
    nodes = try json.optional("nodes", .objects, in: subject)
    target = kind == .other ? nil : try Self.target(json["path"], name, subject)
    if kind != .other, (nodes == nil) == (target == nil) {
      throw Fault(
        .metadata, subject,
        "the node `\(name)` has \(nodes == nil ? "neither" : "both") `nodes` \(nodes == nil ? "nor" : "and") "
          + "`path`, expected one of them")
    }
  }

  /// Whether an object is a node; metadata of OME-Zarr may have such keys of somebody else's.
  static func isNode(_ keys: JSONObject) -> Bool {
    guard let type = keys["type"]?.stringValue else { return false }
    let known = ["collection", "multiscale", "singlescale"].contains(type) || type.contains(":")
    return known && (keys["nodes"] != nil || keys["path"] != nil)
      && !["multiscales", "plate", "well", "bioformats2raw.layout"].contains { keys[$0] != nil }
  }

  /// Whether it is a label image.
  var isLabel: Bool { attributes["labels"] != nil }

  /// A path as an object, or as the text of the first draft.
  private static func target(
    _ json: JSON?, _ name: String, _ subject: String
  ) throws(Fault) -> Target? {
    guard let json, json != .null else { return nil }
    if let path = json.stringValue {
      return Target(kind: path.hasSuffix(".json") ? "json" : "zarr", path: path)
    }
    guard let object = json.objectValue else {
      throw Fault(
        .metadata, subject,
        "the `path` of the node `\(name)` is \(json.excerpt), expected an object")
    }
    let kind = try object.required("type", .string, in: subject)
    if !["zarr", "json"].contains(kind) {
      throw Fault(
        .unsupported, subject,
        "the path of the node `\(name)` has the type `\(kind)`, only `zarr` and `json` can be followed"
      )
    }
    return Target(kind: kind, path: try object.required("path", .string, in: subject))
  }
}

extension JSON {
  /// The id that a reference of any draft names: `{"id": …}`, `{"ref": …}` or the id itself.
  var referencedID: String? {
    if let text = stringValue { return text }
    return self["id"]?.stringValue ?? self["ref"]?.referencedID
  }
}

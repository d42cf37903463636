package import OMJSON
import OMStore

/// A collection of RFC-8 in a JSON file, to be changed: results become nodes beside the images they were
/// made of.
///
/// What is known is found again by where it leads, so a second run adds nothing. The form is that of
/// the draft of August 2026, whatever the document was written in.
package struct CollectionList {
  /// A result that a collection is to name.
  package struct Entry: Sendable {
    /// Its folder, from the root of the file system.
    package let path: String
    /// The folder of the image it was made of; nil when no node can lead there.
    package let source: String?
    /// Whether it is a label image.
    package let isLabel: Bool

    /// Makes an entry.
    package init(path: String, source: String?, isLabel: Bool) {
      self.path = path
      self.source = source
      self.isLabel = isLabel
    }
  }

  /// The version of RFC-8 that is written.
  package static let version = "0.9.dev3"

  /// The folder of the document, from the root of the file system.
  private let folder: String
  /// The document, for messages.
  private let subject: String
  /// How the results were made.
  private let record: JSON
  private var known: [String: Known] = [:]
  private var names: [[Int]: Set<String>] = [:]
  private var ids: Set<String> = []
  private var changed: [[Int]: JSONObject] = [:]
  private var added: [[Int]: [JSON]] = [:]

  /// A node of the document.
  private struct Known {
    var node: JSONObject
    /// The numbers of the nodes that lead to it; for one that is new those of the node it lies in.
    var place: [Int]
    var isNew = false
  }

  /// The document of a collection with results in it.
  ///
  /// - Parameters:
  ///   - entries: The results.
  ///   - record: How they were made; nodes have it as `omtask:provenance`.
  ///   - bytes: The document; nil makes one.
  ///   - name: The name of the document.
  ///   - folder: Its folder, from the root of the file system.
  /// - Returns: The new document, or nil when everything is listed already.
  /// - Throws: `json` or `metadata` for a document that is no collection, `exists` for a node that has
  ///   the name of a result and leads elsewhere.
  package static func adding(
    _ entries: [Entry], record: JSON, to bytes: [UInt8]?, name: String, folder: String
  ) throws(Fault) -> [UInt8]? {
    let subject = joinedKey(folder, name)
    var document: JSONObject = [
      "ome": [
        "version": .string(version), "type": "collection",
        "name": .string(name.count > 5 ? String(name.dropLast(5)) : "collection"), "nodes": [],
      ]
    ]
    if let bytes {
      let json = try JSON(parsing: bytes, subject: subject, lenient: true)
      guard let object = json.objectValue else {
        throw Fault(.metadata, subject, "the document is \(json.kindName), expected an object")
      }
      document = object
    }
    let root = try document.required("ome", .object, in: subject)
    if root["type"]?.stringValue != "collection" || root["nodes"]?.arrayValue == nil {
      throw Fault(
        .metadata, subject, "this is no collection with `nodes`, so nothing can be listed in it",
        hint: "give another `--collection`, which is made when it is not there")
    }
    var list = CollectionList(folder: folder, subject: subject, record: record)
    list.look(at: root, [])
    for entry in entries { try list.add(entry) }
    if list.changed.isEmpty && list.added.isEmpty { return nil }
    document["ome"] = .object(list.rebuilt(root, []))
    return JSON.object(document).bytes(indent: 2)
  }

  private init(folder: String, subject: String, record: JSON) {
    self.folder = folder
    self.subject = subject
    self.record = record
  }

  // MARK: - What is there

  private mutating func look(at node: JSONObject, _ place: [Int]) {
    if let id = node["id"]?.stringValue { ids.insert(id) }
    for system in node["attributes"]?["coordinateSystems"]?.arrayValue ?? [] {
      if let id = system["id"]?.stringValue { ids.insert(id) }
    }
    for key in ["rows", "columns", "acquisitions"] {
      for line in node["attributes"]?["plate"]?[key]?.arrayValue ?? [] {
        if let id = line["id"]?.stringValue { ids.insert(id) }
      }
    }
    let path = node["path"]?.stringValue ?? node["path"]?["path"]?.stringValue
    if !place.isEmpty, node["type"]?.stringValue == "multiscale", let path,
      let target = resolved(path)
    {
      known[target] = known[target] ?? Known(node: node, place: place)
    }
    for (number, child) in (node["nodes"]?.arrayValue ?? []).enumerated() {
      guard let child = child.objectValue else { continue }
      names[place, default: []].insert(child["name"]?.stringValue ?? "")
      look(at: child, place + [number])
    }
  }

  /// Where a path of the document leads, from the root of the file system; nil for another machine.
  private func resolved(_ path: String) -> String? {
    let path = fileURLPath(path) ?? path
    let start = path.hasPrefix("/") ? "" : folder
    guard case .inside(let key) = Destination(path.drop { $0 == "/" }.description, from: start)
    else { return nil }
    return "/" + key
  }

  // MARK: - What comes

  private mutating func add(_ entry: Entry) throws(Fault) {
    var references: JSON?
    var place: [Int] = []
    if let source = entry.source {
      let id = try self.id(of: source)
      references = [["id": .string(id)]]
      place = known[source].map { $0.isNew ? $0.place : Array($0.place.dropLast()) } ?? []
    }
    var provenance = record.objectValue ?? JSONObject()
    if let references { provenance["source"] = references }
    let labels: JSON? =
      entry.isLabel ? .object(references.map { ["source": $0] } ?? JSONObject()) : nil
    if let old = known[entry.path] {
      if old.isNew { return }
      var node = old.node
      var attributes = node["attributes"]?.objectValue ?? JSONObject()
      if let labels {
        var marked = attributes["labels"]?.objectValue ?? JSONObject()
        marked["source"] = labels["source"]
        attributes["labels"] = .object(marked)
      }
      attributes["omtask:provenance"] = .object(provenance)
      node["attributes"] = .object(attributes)
      if node != old.node {
        known[entry.path]?.node = node
        changed[old.place] = node
      }
      return
    }
    var attributes = JSONObject()
    attributes["labels"] = labels
    attributes["omtask:provenance"] = .object(provenance)
    try append(entry.path, in: place, attributes)
  }

  /// The id of the node of an image, which gets one when it has none.
  private mutating func id(of path: String) throws(Fault) -> String {
    guard var old = known[path] else {
      try append(path, in: [], nil)
      return known[path]?.node["id"]?.stringValue ?? ""
    }
    if let id = old.node["id"]?.stringValue { return id }
    let id = newID(path)
    old.node["id"] = .string(id)
    known[path] = old
    changed[old.place] = old.node
    return id
  }

  private mutating func append(
    _ path: String, in place: [Int], _ attributes: JSONObject?
  ) throws(Fault) {
    let relative = Self.relative(path, from: folder)
    if resolved(relative) != path {
      throw Fault(
        .path, subject, "the path `\(path)` cannot be written so that others can follow it",
        hint: "take backslashes and control characters out of the names of folders")
    }
    var name = relative.hasPrefix("./") ? String(relative.dropFirst(2)) : relative
    if name.isEmpty || name.hasSuffix("/") { name = Self.lastPart(path) }
    if !names[place, default: []].insert(name).inserted {
      throw Fault(
        .exists, subject, "a node with the name `\(name)` leads elsewhere",
        hint: "give that node another name, or another `--collection`")
    }
    var node: JSONObject = [
      "type": "multiscale", "id": .string(newID(path)), "name": .string(name),
      "path": ["type": "zarr", "path": .string(relative)],
    ]
    node["attributes"] = attributes.map { .object($0) }
    added[place, default: []].append(.object(node))
    known[path] = Known(node: node, place: place, isNew: true)
  }

  /// An id made of a path, which nothing in the document has.
  private mutating func newID(_ path: String) -> String {
    var relative = Self.relative(path, from: folder).drop { $0 == "." || $0 == "/" }
    if relative.isEmpty { relative = Self.lastPart(path)[...] }
    let letters = relative.unicodeScalars.map { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains(scalar))
        ? String(scalar) : "-"
    }.joined()
    let plain = letters.contains { !["-", ".", "_"].contains($0) } ? letters : "node"
    var id = plain
    var number = 2
    while !ids.insert(id).inserted {
      id = "\(plain)-\(number)"
      number += 1
    }
    return id
  }

  private static func lastPart(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? "root"
  }

  /// A path as the document writes it: `./…` or `../…`.
  static func relative(_ path: String, from folder: String) -> String {
    let target = path.split(separator: "/")
    let start = folder.split(separator: "/")
    let common = zip(target, start).prefix { $0 == $1 }.count
    let ups = start.count - common
    return (ups == 0 ? ["."] : Array(repeating: "..", count: ups))
      .joined(separator: "/") + "/" + target[common...].joined(separator: "/")
  }

  /// The node with all that has changed in it.
  private func rebuilt(_ node: JSONObject, _ place: [Int]) -> JSONObject {
    var node = changed[place] ?? node
    guard let nodes = node["nodes"]?.arrayValue else { return node }
    let inner = nodes.enumerated().map { number, child in
      child.objectValue.map { JSON.object(rebuilt($0, place + [number])) } ?? child
    }
    node["nodes"] = .array(inner + (added[place] ?? []))
    return node
  }
}

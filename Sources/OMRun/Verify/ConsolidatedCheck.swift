import OMImage
import OMJSON
import OMStore

/// Compares the copies of metadata that groups keep with the documents themselves.
struct ConsolidatedCheck {
  private let verifier: Verifier
  private var store: (any Store)?
  /// The nodes that were found, by the key of their image.
  private var images: [(path: String, nodes: [String])] = []

  init(_ verifier: Verifier) { self.verifier = verifier }

  /// Adds an image with the nodes that were found in it; all images are of one store.
  mutating func add(_ location: ImageLocation, nodes: [String]) {
    store = location.store
    images.append((location.path, nodes))
  }

  /// Checks every group that is, or lies above, an image.
  func run() {
    guard let store else { return }
    var seen: Set<String> = []
    for image in images {
      for holder in ConsolidatedMetadata.holders(of: image.path) {
        guard seen.insert(holder).inserted else { continue }
        do throws(Fault) {
          guard let format = try ConsolidatedMetadata.formatOfCopy(holder, in: store) else {
            continue
          }
          try check(Copy(group: holder, store: store, zarrFormat: format))
        } catch { verifier.log.problem(error.below(store.description)) }
      }
    }
  }

  private func check(_ copy: Copy) throws(Fault) {
    let entries = try copy.entries()
    var changes: [ConsolidatedMetadata.Change] = []
    var wrong: [String] = []
    for (key, entry) in entries.members {
      let documents = try copy.documents(key)
      if documents.isEmpty {
        let node = copy.node(of: key)
        let isThere = try !copy.nodeDocuments(node).isEmpty
        // Some writers note empty attributes that have no document.
        if isThere && entry == [:] { continue }
        wrong.append("`\(key)`, which is not there")
        let gone = joinedKey(copy.group, isThere ? key : node)
        changes.append(ConsolidatedMetadata.Change(written: [], replaced: gone))
      } else if let document = documents.first, !copy.agrees(entry, document.json) {
        wrong.append("`\(key)` otherwise than its document")
        changes.append(ConsolidatedMetadata.Change(written: documents))
      }
    }
    let known = Set(entries.keys)
    for node in missing(copy, known) {
      wrong.append("nothing about `\(node)`")
      let documents = try copy.nodeDocuments(node)
      changes.append(ConsolidatedMetadata.Change(written: documents))
    }
    if !wrong.isEmpty { try settle(copy, wrong, changes) }
  }

  /// The nodes that the copy should know: those of images it knows.
  private func missing(_ copy: Copy, _ known: Set<String>) -> [String] {
    images.flatMap { image -> [String] in
      guard let place = copy.relative(image.path), copy.knows(place, known) else { return [] }
      return image.nodes.compactMap(copy.relative).filter { !copy.knows($0, known) }
    }
  }

  private func settle(
    _ copy: Copy, _ wrong: [String], _ changes: [ConsolidatedMetadata.Change]
  ) throws(Fault) {
    let path = joinedKey(copy.store.description, copy.key)
    let more = wrong.count > 1 ? " and \(wrong.count - 1) more" : ""
    if verifier.options.repairs {
      let document = try ConsolidatedMetadata.updated(
        copy.group, in: copy.store, zarrFormat: copy.zarrFormat, by: changes)
      if let document {
        do throws(Fault) {
          try OutputFolder(path: copy.store.description).write(document.key, document.bytes)
        } catch { return verifier.log.problem(error) }
      }
      return verifier.log.repaired("\(path): consolidated metadata are up to date again")
    }
    verifier.log.problem(
      Fault(
        .metadata, path, "the consolidated metadata say \(wrong[0])\(more)",
        hint: verifier.repairHint(
          ImageLocation(store: copy.store, path: copy.group), "brings them up to date")))
  }
}

/// The copy of metadata that one group keeps.
private struct Copy {
  let group: String
  let store: any Store
  let zarrFormat: Int

  var key: String { ConsolidatedMetadata.key(group, zarrFormat: zarrFormat) }

  func entries() throws(Fault) -> JSONObject {
    guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { return JSONObject() }
    let json = try JSON(parsing: bytes, subject: key, lenient: true)
    let document = json.objectValue ?? JSONObject()
    if zarrFormat == 2 { return try document.required("metadata", .object, in: key) }
    let copy = try document.required("consolidated_metadata", .object, in: key)
    return try copy.required("metadata", .object, in: key)
  }

  /// A key as seen from the group; nil when it is not below it.
  func relative(_ path: String) -> String? {
    if group.isEmpty || path == group { return path == group ? "" : path }
    return path.hasPrefix(group + "/") ? String(path.dropFirst(group.count + 1)) : nil
  }

  /// Whether the copy has an entry for a node; the group itself needs none.
  func knows(_ node: String, _ known: Set<String>) -> Bool {
    if node.isEmpty { return true }
    if zarrFormat == 3 { return known.contains(node) }
    return known.contains(node + "/.zarray") || known.contains(node + "/.zgroup")
  }

  /// The node that an entry is about.
  func node(of entry: String) -> String {
    if zarrFormat == 3 { return entry }
    return entry.lastIndex(of: "/").map { String(entry[..<$0]) } ?? ""
  }

  /// The document behind an entry; none when it is not there.
  func documents(_ entry: String) throws(Fault) -> [MetadataDocument] {
    let path = joinedKey(group, try checkedKey(entry, subject: key))
    let document = zarrFormat == 2 ? path : joinedKey(path, "zarr.json")
    return try read([document])
  }

  /// All documents of a node.
  func nodeDocuments(_ node: String) throws(Fault) -> [MetadataDocument] {
    let names = zarrFormat == 2 ? [".zgroup", ".zarray", ".zattrs"] : ["zarr.json"]
    return try read(names.map { joinedKey(joinedKey(group, node), $0) })
  }

  private func read(_ keys: [String]) throws(Fault) -> [MetadataDocument] {
    var found: [MetadataDocument] = []
    for key in keys {
      guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { continue }
      found.append(
        MetadataDocument(key: key, json: try JSON(parsing: bytes, subject: key, lenient: true)))
    }
    return found
  }

  /// Whether an entry says what the document says, as far as readers depend on it.
  ///
  /// Writers of copies fill in defaults and change the form of codecs, which is no disagreement.
  func agrees(_ entry: JSON, _ document: JSON) -> Bool {
    guard let entry = entry.objectValue, let document = document.objectValue else { return false }
    if zarrFormat == 2 && entry["zarr_format"] == nil {
      return JSON.object(entry).isSame(as: .object(document))
    }
    let members =
      zarrFormat == 2
      ? ["shape", "chunks", "dtype", "order"]
      : ["node_type", "shape", "data_type", "chunk_grid", "attributes"]
    return members.allSatisfy { member in
      let empty: JSON? = member == "attributes" ? [:] : nil
      let (left, right) = (entry[member] ?? empty, document[member] ?? empty)
      guard let left, let right else { return left == nil && right == nil }
      return left.isSame(as: right)
    }
  }
}

extension JSON {
  /// Whether two values mean the same, whatever the order of members and the text of numbers.
  fileprivate func isSame(as other: JSON) -> Bool {
    switch (self, other) {
    case (.object(let left), .object(let right)):
      return left.count == right.count
        && left.members.allSatisfy { key, value in right[key].map(value.isSame) ?? false }
    case (.array(let left), .array(let right)):
      return left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
    case (.number(let left), .number(let right)):
      return left == right || (Double(left) ?? .nan) == (Double(right) ?? .nan)
    default: return self == other
    }
  }
}

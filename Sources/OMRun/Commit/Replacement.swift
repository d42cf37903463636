import OMImage
import OMJSON
import OMStore
import OMTask
import OMZarr

/// What `--overwrite` replaces in an image: a label image by a label image, and a table by one of its kind,
/// whoever made it; nothing that holds more than that (docs/reliability.md, Replacing).
struct Replacement: Sendable {
  let image: ImageLocation
  let shelf: Shelf
  /// What the new table is about; nil for a label image.
  let kind: TableKind?

  /// Refuses to replace what is something else than what takes its place, or more.
  ///
  /// - Parameters:
  ///   - name: The name below the group.
  ///   - uri: How people name it.
  /// - Throws: A fault of kind `exists` that says what is in the way.
  func check(_ name: String, _ uri: String) throws(Fault) {
    let path = joinedKey(image.path, "\(shelf.name)/\(name)")
    let entries = try image.naming { () throws(Fault) in try image.store.list(path) }
    // What cannot be read says nothing of its levels: then only names that everybody gives them are known.
    let attributes = ((try? ZarrGroup.open(image.store, path: path)) ?? nil)?.attributes
    if let kind { try check(kind, attributes, uri) }
    let known =
      shelf == .tables ? Self.tableEntries : Self.levels(.object(attributes ?? JSONObject()))
    for entry in entries where !known.contains(entry) && !isPart(entry) {
      throw Fault(
        .exists, uri, "is there already and holds `\(entry)`, which is no part of a \(shelf.noun)",
        hint: "`--overwrite` replaces \(shelf.noun)s only; remove `\(entry)`, or take another name")
    }
  }

  private func check(_ kind: TableKind, _ found: JSONObject?, _ uri: String) throws(Fault) {
    guard let found else {
      throw Fault(
        .exists, uri, "is there already and is no table that can be read",
        hint: "`--overwrite` replaces tables only; remove it, or give another `--table-name`")
    }
    // As ngio takes tables that do not say what they are.
    let type = found["type"]?.stringValue ?? TableKind.generic.rawValue
    if type == kind.rawValue { return }
    throw Fault(
      .exists, uri, "is there already, a `\(type)`, and the new table is a `\(kind.rawValue)`",
      hint: "`--overwrite` replaces tables of the same kind; give another `--table-name`")
  }

  /// Whether an entry of a group belongs to it by its name.
  private func isPart(_ entry: String) -> Bool {
    if entry.hasPrefix(".") || entry == "zarr.json" { return true }
    return shelf == .labels
      && (LabelDocuments.isLevelPath(entry) || BucketNode.isGeneration(entry))
  }

  /// What tables are stored in: AnnData, and the other back ends of ngio.
  private static let tableEntries: Set<String> = [
    "X", "layers", "obs", "obsm", "obsp", "raw", "table", "table.csv", "table.parquet", "uns",
    "var", "varm", "varp",
  ]

  /// The folders of the levels that a document names.
  private static func levels(_ json: JSON) -> Set<String> {
    var found: Set<String> = []
    for member in json.objectValue?.members ?? [] {
      for entry in member.key == "datasets" ? member.value.arrayValue ?? [] : [] {
        let parts = entry["path"]?.stringValue?.split(separator: "/") ?? []
        if let first = parts.first { found.insert(String(first)) }
      }
      found.formUnion(levels(member.value))
    }
    for element in json.arrayValue ?? [] { found.formUnion(levels(element)) }
    return found
  }
}

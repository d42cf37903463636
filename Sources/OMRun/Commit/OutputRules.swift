import OMImage
import OMJSON
import OMStore
import OMZarr

/// What `--output` may name: a place apart from the input, free or holding nothing but results of ours.
enum OutputRules {
  /// Refuses an output that is, holds or lies in the hierarchy that is read.
  static func checkApart(_ output: SeparatePath, _ input: ImageLocation) throws(Fault) {
    let parent = try FileStore(root: output.parent).root
    let path = parent == "/" ? "/\(output.name)" : "\(parent)/\(output.name)"
    let root = input.store.description
    let relation: String
    if path == root {
      relation = "is the input itself"
    } else if path.hasPrefix(root + "/") {
      relation = "lies in the input `\(root)`"
    } else if root.hasPrefix(path + "/") {
      relation = "holds the input `\(root)`"
    } else {
      return
    }
    throw Fault(
      .path, output.uri, "`--output` \(relation)",
      hint: "give a path outside of it, or leave `--output` out to write into the image")
  }

  /// Refuses to replace anything that omtask did not make.
  ///
  /// - Parameters:
  ///   - output: The output, which exists.
  ///   - names: The images or tables to be written.
  ///   - shelf: What they are.
  ///   - path: Where it lies now; nil in its place.
  /// - Throws: A fault of kind `exists` that names what is in the way.
  static func checkOwn(
    _ output: SeparatePath, _ names: [String], _ shelf: Shelf, in path: String? = nil
  ) throws(Fault) {
    let place = try SeparatePath(path ?? output.uri)
    let kind = try OutputFolder(path: place.parent).kind(of: place.name)
    if kind != .folder { throw foreign(output, nil) }
    let store = try FileStore(root: place.uri)
    let documents: Set<String> = ["zarr.json", ".zgroup", ".zattrs"]
    for path in SeparateOutput.paths(names) {
      let group = try? ZarrGroup.open(store, path: path)
      if group?.attributes["omtask"] == nil { throw foreign(output, nil) }
      try refuse(output, try store.list(path), besides: documents, path) {
        shelf == .tables ? tableEntries.contains($0) : LabelDocuments.isLevelPath($0)
      }
    }
    guard names.count > 1 else { return }
    try refuse(output, try store.list(""), besides: documents.union(["labels"]), "") { _ in false }
    try refuse(output, try store.list("labels"), besides: documents.union(names), "labels") { _ in
      false
    }
  }

  /// What lies in the group of a table.
  private static let tableEntries: Set<String> = ["X", "obs", "var", "table", "table.csv"]

  private static func refuse(
    _ output: SeparatePath, _ entries: [String], besides known: Set<String>, _ folder: String,
    unless isOurs: (String) -> Bool
  ) throws(Fault) {
    for entry in entries where !known.contains(entry) && !isOurs(entry) {
      throw foreign(output, joinedKey(folder, entry))
    }
  }

  private static func foreign(_ output: SeparatePath, _ entry: String?) -> Fault {
    Fault(
      .exists, output.uri,
      entry.map { "is there already and holds `\($0)`, which is not of this result" }
        ?? "is there already, and omtask did not make it",
      hint: "give another path; `--overwrite` replaces results of omtask only")
  }
}

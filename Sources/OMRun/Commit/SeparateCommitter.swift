import OMImage
import OMJSON
import OMStore
import OMZarr

/// Commits label images as an OME-Zarr of their own (`--output URI`): staged beside it, then moved
/// to its name by one rename.
final class SeparateCommitter: Committer {
  private let name: String
  private let names: [String]
  private let paths: [String]
  private let overwrites: Bool
  private let stage: Stage

  /// Makes a committer.
  ///
  /// - Parameters:
  ///   - output: The path of the new OME-Zarr; its parent must exist.
  ///   - names: The names of the label images.
  ///   - overwrites: Whether an existing output is replaced.
  ///   - runID: The run.
  ///   - rank: The rank.
  /// - Throws: A fault of kind `missing` or `permission` when the parent cannot be opened.
  init(
    output: SeparatePath, names: [String], overwrites: Bool, runID: String, rank: Int
  ) throws(Fault) {
    name = output.name
    self.names = names
    paths = SeparateOutput.paths(names)
    self.overwrites = overwrites
    stage = Stage(
      holder: try OutputFolder(path: output.parent), folder: ".\(output.name).omtask",
      runID: runID, rank: rank)
  }

  var bytesWritten: Int { stage.bytesWritten }

  func prepare(_ record: JSON) throws(Fault) { try stage.make(record) }

  func publish(
    label: Int, level: Int, key: String, bytes: UnsafeRawBufferPointer
  ) throws(Fault) {
    try stage.write(key, label: place(label), level: LabelDocuments.levelPath(level), bytes)
  }

  func staged(label: Int, level: Int, layout: ArrayLayout) throws(Fault) -> ZarrArray {
    try stage.array(label: place(label), level: LabelDocuments.levelPath(level), layout: layout)
  }

  func commit(_ labels: [CommittedLabel]) throws(Fault) {
    for (index, label) in labels.enumerated() {
      for document in label.arrays {
        try stage.write(document, label: place(index))
      }
    }
    let groups = SeparateOutput.documents(
      labels.map(\.metadata), source: labels[0].metadata.image.location.displayName)
    for document in groups { try stage.write(document, label: name) }
    let isTaken = overwrites ? try stage.holder.kind(of: name) != nil : false
    if isTaken {
      try stage.out().renameExchange(name, with: stage.holder, name)
    } else {
      try stage.out().renameNoReplace(name, to: stage.holder, name)
    }
    try stage.remove()
  }

  func discard() { try? stage.remove() }

  private func place(_ label: Int) -> String { joinedKey(name, paths[label]) }
}

/// The path of a new OME-Zarr, cut into the folder that holds it and its name.
struct SeparatePath: Sendable {
  let parent: String
  let name: String

  /// Cuts a URI.
  ///
  /// - Throws: `unsupported` for what is not a local path, `path` when it names no new folder.
  init(_ uri: String) throws(Fault) {
    let prefix = "file://"
    var path = uri.hasPrefix(prefix) ? String(uri.dropFirst(prefix.count)) : uri
    if path.contains("://") {
      throw Fault(.unsupported, uri, "results can only be written to local folders")
    }
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    let slash = path.lastIndex(of: "/")
    name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let folder = slash.map { String(path[..<$0]) } ?? "."
    parent = folder.isEmpty ? "/" : folder
    if [".", "..", ""].contains(name) {
      throw Fault(
        .path, uri, "`--output` names no new folder", hint: "give a path such as out.zarr")
    }
  }

  var uri: String { parent == "." ? name : parent == "/" ? "/\(name)" : "\(parent)/\(name)" }
}

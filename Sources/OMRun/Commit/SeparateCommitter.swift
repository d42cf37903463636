import OMImage
import OMJSON
import OMStore
import OMZarr

/// Commits results as an OME-Zarr of their own (a derived image, or label images with `--output URI`):
/// staged beside it, moved to its name by one rename, and listed in its well.
final class SeparateCommitter: Committer {
  let stage: Stage
  private let name: String
  private let paths: [String]
  private let overwrites: Bool
  private let target: Target
  let runID: String
  private let rules: LockRules

  /// Makes a committer.
  ///
  /// - Parameters:
  ///   - output: The path of the new OME-Zarr; its parent must exist.
  ///   - target: What goes there.
  ///   - runID: The run.
  ///   - rank: The rank.
  ///   - durability: What waits for the disk.
  ///   - rules: How the lock of the well is taken.
  /// - Throws: A fault of kind `missing` or `permission` when the parent cannot be opened.
  init(
    _ output: SeparatePath, _ target: Target, runID: String, rank: Int, durability: Durability,
    _ rules: LockRules
  ) throws(Fault) {
    self.rules = rules
    name = output.name
    paths = SeparateOutput.paths(target.names)
    overwrites = target.overwrites
    self.target = target
    self.runID = runID
    stage = Stage(
      holder: try OutputFolder(path: output.parent), folder: output.stages, runID: runID,
      rank: rank, durability: durability)
  }

  func place(_ label: Int) -> String { joinedKey(name, paths[label]) }

  func stageMetadata(_ labels: [CommittedImage]) throws(Fault) {
    for (index, label) in labels.enumerated() {
      try write(label.arrays, label: place(index))
    }
    let groups = SeparateOutput.documents(
      labels.map(\.metadata), source: target.source)
    try write(groups, label: name)
    if stage.durability != .none { try stage.syncFolders(paths.indices.map(place) + [name]) }
  }

  func finish() throws(Fault) {
    // A run that was stopped here before has moved it.
    let isMoved = stage.holdsMore ? try isInPlace(0) : false
    let isExchange = isMoved ? false : try move()
    do {
      let isDurable = stage.durability != .none
      if isDurable { try stage.holder.sync() }
      try target.well?.add(rules, isDurable: isDurable)
    } catch {
      // What is listed stays, whatever went wrong after that.
      let isListed = (try? target.well?.isListed()) ?? false
      if !isMoved && !isListed { try? moveBack(isExchange) }
      throw error
    }
    stage.remove(orWarn: rules.warn)
  }

  func restore() {}

  var labelCount: Int { paths.count }

  func isInPlace(_ label: Int) throws(Fault) -> Bool {
    try target.look(runID: runID, overwrites: true).state != .open
  }

  /// Moves what is staged to its place.
  ///
  /// - Returns: Whether what was there lies in the stage now.
  private func move() throws(Fault) -> Bool {
    let isTaken = overwrites ? try stage.holder.kind(of: name) != nil : false
    if isTaken {
      try stage.out().renameExchange(name, with: stage.holder, name)
    } else {
      try stage.out().renameNoReplace(name, to: stage.holder, name)
    }
    return isTaken
  }

  /// A run that fails leaves all as it was.
  private func moveBack(_ isExchange: Bool) throws(Fault) {
    if isExchange {
      try stage.out().renameExchange(name, with: stage.holder, name)
    } else {
      try stage.holder.renameNoReplace(name, to: stage.out(), name)
    }
  }
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
    // Such a folder would be taken for a document of the group it lies in.
    if ["zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"].contains(name.lowercased()) {
      throw Fault(
        .path, uri, "`--output` has the name of a metadata document",
        hint: "give a path such as out.zarr")
    }
  }

  /// The path of a new OME-Zarr beside an image.
  init(beside image: ImageLocation, name: String) throws(Fault) {
    let path = image.displayName
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    try self.init(folder + name)
  }

  /// The name of the folder of stages beside it.
  var stages: String { ".\(name).omtask" }

  var uri: String { parent == "." ? name : parent == "/" ? "/\(name)" : "\(parent)/\(name)" }
}

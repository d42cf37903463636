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

  /// The lock under which results come to their place.
  static let lock = CommitLock(subject: "place")

  func finish() throws(Fault) {
    // Other runs may make results of the same name: from the last look to the list only one of them is
    // at it, so that what is moved back is what was moved.
    let (lock, place) = try rules.acquire(
      SeparateCommitter.lock, in: stage.folder, of: stage.holder)
    defer {
      lock.release()
      try? FileLock.sweep(SeparateCommitter.lock.name, in: place)
      try? stage.holder.removeIfEmpty(stage.folder)
    }
    // A run that was stopped here before has moved it.
    let isMoved = stage.holdsMore ? try isInPlace(0) : false
    let move = isMoved ? nil : try move()
    do {
      let isDurable = stage.durability != .none
      if isDurable { try stage.holder.sync() }
      try target.well?.add(rules, isDurable: isDurable)
    } catch {
      // A well that lists a new image by now keeps it; in place of another one that is taken back.
      let isListed = (try? target.well?.isListed()) ?? false
      if let move, move != .first || !isListed { try? moveBack(move) }
      throw error
    }
    stage.remove(orWarn: rules.warn)
  }

  func restore() {
    if let root = try? stage.root() {
      try? SeparateCommitter.restore(from: root, in: stage.holder)
    }
  }

  /// Gives a result that was put aside back to its place, where that is free.
  static func restore(from root: OutputFolder, in holder: OutputFolder) throws(Fault) {
    guard try root.kind(of: ImageCommitter.old) == .folder else { return }
    let aside = try root.folder(ImageCommitter.old)
    for name in try aside.list() where try holder.kind(of: name) == nil {
      try aside.renameNoReplace(name, to: holder, name)
    }
  }

  var labelCount: Int { paths.count }

  func isInPlace(_ label: Int) throws(Fault) -> Bool {
    try target.look(runID: runID, overwrites: true).state != .open
  }

  /// How a result came to its place.
  private enum Move {
    /// Nothing was there.
    case first
    /// What was there lies in the stage instead of it.
    case exchange
    /// What was there was put aside first.
    case aside
  }

  /// Moves what is staged to its place.
  private func move() throws(Fault) -> Move {
    let isOwn = stage.holdsMore ? try staged(0) == .own : true
    if !isOwn {
      throw Fault(
        .locked, target.uri(0),
        "what is staged is not what this run made: another run has replaced it, or the disk has lost "
          + "what was written", hint: "run the command again")
    }
    let out = try stage.out()
    guard overwrites, try stage.holder.kind(of: name) != nil else {
      // The rename itself finds out whether the name is taken.
      try out.renameNoReplace(name, to: stage.holder, name)
      return .first
    }
    // Somebody may have put something there since the run began.
    try target.checkReplaceable()
    do throws(Fault) {
      try out.renameExchange(name, with: stage.holder, name)
    } catch {
      if error.kind != .unsupported { throw error }
      return try moveAside(out)
    }
    do {
      try target.checkReplaceable(in: "\(out.path)/\(name)")
    } catch {
      try moveBack(.exchange)
      throw error
    }
    return .exchange
  }

  /// Replaces where two names cannot change places.
  private func moveAside(_ out: OutputFolder) throws(Fault) -> Move {
    stage.expectMore()
    let old = try stage.root().makeFolder(ImageCommitter.old)
    try old.removeTree(name)
    try stage.holder.renameNoReplace(name, to: old, name)
    do {
      try out.renameNoReplace(name, to: stage.holder, name)
    } catch {
      try? old.renameNoReplace(name, to: stage.holder, name)
      throw error
    }
    return .aside
  }

  /// A run that fails leaves all as it was.
  private func moveBack(_ move: Move) throws(Fault) {
    let out = try stage.out()
    switch move {
    case .first: try stage.holder.renameNoReplace(name, to: out, name)
    case .exchange: try out.renameExchange(name, with: stage.holder, name)
    case .aside:
      try stage.holder.renameNoReplace(name, to: out, name)
      try stage.root().folder(ImageCommitter.old).renameNoReplace(name, to: stage.holder, name)
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

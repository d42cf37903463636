import OMImage
import OMJSON
import OMStore
import OMZarr

/// Commits results as an OME-Zarr of their own (a derived image, or label images with `--output URI`):
/// staged beside it, moved to its name by one rename, and listed in its well.
///
/// An archive is staged as a folder too, and packed in the stage when all is there.
final class SeparateCommitter: Committer {
  let stage: Stage
  private let output: SeparatePath
  private let paths: [String]
  private let overwrites: Bool
  private let target: Target
  let runID: String
  private let rules: LockRules
  private let threads: Int

  /// Makes a committer.
  ///
  /// - Parameters:
  ///   - output: The path of the new OME-Zarr; its parent must exist.
  ///   - target: What goes there.
  ///   - runID: The run.
  ///   - rank: The rank.
  ///   - durability: What waits for the disk.
  ///   - threads: Worker threads for packing an archive.
  ///   - rules: How the lock of the well is taken.
  /// - Throws: A fault of kind `missing` or `permission` when the parent cannot be opened.
  init(
    _ output: SeparatePath, _ target: Target, runID: String, rank: Int, durability: Durability,
    threads: Int, _ rules: LockRules
  ) throws(Fault) {
    self.rules = rules
    self.threads = threads
    self.output = output
    paths = SeparateOutput.paths(target.names)
    overwrites = target.overwrites
    self.target = target
    self.runID = runID
    stage = Stage(
      holder: try OutputFolder(path: output.stageHolder), folder: output.stages, runID: runID,
      rank: rank, durability: durability)
  }

  private var name: String { output.name }

  /// The folder that holds the result; in a new plate it may not be there before the commit.
  private func home() throws(Fault) -> OutputFolder {
    output.folder.isEmpty ? stage.holder : try stage.holder.folder(output.folder)
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
    try target.register?.prepare(try stage.root(), in: stage.holder)
    if output.isArchive {
      let isPlaced = stage.holdsMore ? try isInPlace(0) : false
      if !isPlaced { try pack() }
    }
    let home = try home()
    let (lock, place) = try rules.acquire(SeparateCommitter.lock, in: output.lockFolder, of: home)
    defer {
      lock.release()
      try? FileLock.sweep(SeparateCommitter.lock.name, in: place)
      try? home.removeIfEmpty(output.lockFolder)
    }
    // A run that was stopped here before has moved it.
    let isMoved = stage.holdsMore ? try isInPlace(0) : false
    let move = isMoved ? nil : try move(to: home)
    do {
      let isDurable = stage.durability != .none
      if isDurable { try home.sync() }
      try target.register?.add(rules, isDurable: isDurable)
    } catch {
      // A well that lists a new image by now keeps it; in place of another one that is taken back.
      let isListed = (try? target.register?.isNamed()) ?? false
      if let move, move != .first || !isListed { try? moveBack(move, in: home) }
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
    try giveBack(from: aside, to: holder)
  }

  /// Moves groups to the places below a folder that they have below another one, where these are free.
  private static func giveBack(
    from aside: OutputFolder, to holder: OutputFolder
  ) throws(Fault) {
    for name in try aside.list() {
      let isResult = try aside.kind(of: name) != .folder ? true : isGroup(try aside.folder(name))
      if isResult {
        if try holder.kind(of: name) == nil { try aside.renameNoReplace(name, to: holder, name) }
      } else if try holder.kind(of: name) == .folder {
        try giveBack(from: try aside.folder(name), to: try holder.folder(name))
      }
    }
  }

  private static func isGroup(_ folder: OutputFolder) throws(Fault) -> Bool {
    for name in ["zarr.json", ".zgroup"] where try folder.kind(of: name) != nil { return true }
    return false
  }

  /// Where results are put aside: a path below the stage like that of the result below the folder that
  /// holds the stages.
  private func aside() throws(Fault) -> OutputFolder {
    let old = try stage.root().makeFolder(ImageCommitter.old)
    return output.folder.isEmpty ? old : try old.makeFolder(output.folder)
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
  private func move(to home: OutputFolder) throws(Fault) -> Move {
    try checkOwn()
    let out = try ready()
    guard overwrites, try home.kind(of: name) != nil else {
      // The rename itself finds out whether the name is taken.
      try out.renameNoReplace(name, to: home, name)
      return .first
    }
    // Somebody may have put something there since the run began.
    try target.checkReplaceable()
    do throws(Fault) {
      try out.renameExchange(name, with: home, name)
    } catch {
      if error.kind != .unsupported { throw error }
      return try moveAside(out, home)
    }
    do {
      try target.checkReplaceable(in: "\(out.path)/\(name)")
    } catch {
      try moveBack(.exchange, in: home)
      throw error
    }
    return .exchange
  }

  /// Sees to it that what is staged is what this run made.
  private func checkOwn() throws(Fault) {
    let isOwn = stage.holdsMore ? try staged(0) == .own : true
    if isOwn { return }
    throw Fault(
      .locked, target.uri(0),
      "what is staged is not what this run made: another run has replaced it, or the disk has lost "
        + "what was written", hint: "run the command again")
  }

  /// The folder that holds what is moved, under its name.
  private func ready() throws(Fault) -> OutputFolder {
    output.isArchive ? try stage.root().makeFolder(SeparateCommitter.packed) : try stage.out()
  }

  /// The folder of the stage in which an archive is packed.
  private static let packed = "packed"

  /// Packs what is staged.
  ///
  /// A run that was killed at it begins again: nothing of it is kept.
  private func pack() throws(Fault) {
    try checkOwn()
    stage.expectMore()
    let folder = try ready()
    try folder.removeTree(name)
    let store = try FileStore(root: "\(try stage.out().path)/\(name)")
    let content = try ArchiveContent(ImageLocation(store: store, path: ""))
    let isDurable = stage.durability != .none
    _ = try content.write(
      name, in: folder, threads: threads, isDurable: isDurable, check: rules.check)
    if isDurable { try folder.sync() }
  }

  /// Replaces where two names cannot change places.
  private func moveAside(
    _ out: OutputFolder, _ home: OutputFolder
  ) throws(Fault) -> Move {
    stage.expectMore()
    let old = try aside()
    try old.removeTree(name)
    try home.renameNoReplace(name, to: old, name)
    do {
      try out.renameNoReplace(name, to: home, name)
    } catch {
      try? old.renameNoReplace(name, to: home, name)
      throw error
    }
    return .aside
  }

  /// A run that fails leaves all as it was.
  private func moveBack(_ move: Move, in home: OutputFolder) throws(Fault) {
    let out = try ready()
    switch move {
    case .first: try home.renameNoReplace(name, to: out, name)
    case .exchange: try out.renameExchange(name, with: home, name)
    case .aside:
      try home.renameNoReplace(name, to: out, name)
      try aside().renameNoReplace(name, to: home, name)
    }
  }
}

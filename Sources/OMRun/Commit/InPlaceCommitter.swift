import OMImage
import OMJSON
import OMStore
import OMZarr

/// Commits coarser levels into images that exist: staged in `<image>/.omtask`, moved in under names that
/// nobody uses, listed by one replace of the metadata of each image; then the old levels go.
final class InPlaceCommitter: Committer {
  let stage: Stage
  let runID: String
  private let target: Target
  private let home: ImageLocation
  private let nodes: [LevelsNode]
  private let rules: LockRules

  /// The lock under which levels change places.
  static let lock = CommitLock(subject: "levels")

  /// Makes a committer.
  ///
  /// - Parameters:
  ///   - target: What changes.
  ///   - home: The image that holds the stage.
  ///   - runID: The run.
  ///   - rank: The rank.
  ///   - durability: What waits for the disk.
  ///   - rules: How locks are taken.
  /// - Throws: A fault of kind `permission` when the image cannot be opened for writing.
  init(
    _ target: Target, _ home: ImageLocation, runID: String, rank: Int, durability: Durability,
    _ rules: LockRules
  ) throws(Fault) {
    self.target = target
    self.home = home
    self.runID = runID
    self.rules = rules
    nodes = target.levels
    stage = Stage(
      holder: try OutputFolder(path: home.displayName), folder: ImageCommitter.folder,
      runID: runID, rank: rank, durability: durability)
  }

  var labelCount: Int { nodes.count }

  func place(_ label: Int) -> String { "\(label)" }

  func isInPlace(_ label: Int) throws(Fault) -> Bool { try target.isMade(label, runID) }

  func stageMetadata(_ levels: [CommittedImage]) throws(Fault) {
    for (index, level) in levels.enumerated() {
      try write(level.arrays + level.metadata.group(source: ""), label: place(index))
    }
    if stage.durability != .none { try stage.syncFolders(nodes.indices.map(place)) }
  }

  func finish() throws(Fault) {
    try Self.alone(in: stage.holder, rules) { (workshop) throws(Fault) in try finish(workshop) }
  }

  /// Does something while no other process of ours changes levels, label images or their list here.
  ///
  /// - Parameters:
  ///   - holder: The folder of the image that holds the stage.
  ///   - rules: How locks are taken.
  ///   - body: What is done, with the folder of all stages.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws, and `locked` when another process keeps a lock.
  private static func alone<Result>(
    in holder: OutputFolder, _ rules: LockRules,
    _ body: (OutputFolder) throws(Fault) -> Result
  ) throws(Fault) -> Result {
    let folder = ImageCommitter.folder
    let locks = [lock, Shelf.labels.lock]
    var held: [FileLock] = []
    defer {
      for lock in held.reversed() { lock.release() }
      if let stages = try? holder.folder(folder) {
        for lock in locks { try? FileLock.sweep(lock.name, in: stages) }
      }
      try? holder.removeIfEmpty(folder)
    }
    // In this order everywhere; who adds label images takes the second one only.
    for lock in locks { held.append(try rules.acquire(lock, in: folder, of: holder).lock) }
    return try body(try holder.folder(folder))
  }

  private func finish(_ workshop: OutputFolder) throws(Fault) {
    let root = try stage.root()
    stage.expectMore()
    let known = try LevelsRecord.read(root, home: home)
    // A run that was killed in its last step.
    if known == nil, try target.areMade(runID) { return stage.remove(orWarn: rules.warn) }
    let record: LevelsRecord
    if let known { record = known } else { record = try begin(root) }
    let change = self.change(record, root, workshop)
    do throws(Fault) {
      try change.moveIn()
      try change.list()
    } catch {
      // Nothing has changed for anybody as long as no metadata list new levels.
      if let states = try? change.states(), !states.contains(.new), (try? change.moveOut()) != nil {
        try? root.removeTree(LevelsRecord.name)
      }
      throw error
    }
    let warnings = change.updateCopies(rules)
    if !warnings.isEmpty {
      for warning in warnings { rules.warn(warning) }
      rules.warn(
        "the old levels of \(home.displayName) stay until that can be done; the same command does it"
      )
      return stage.unlock()
    }
    do throws(Fault) { try change.retire() } catch {
      rules.warn(
        "the new levels are in their place, but an old one cannot be removed: \(error.description); "
          + "the same command tries it again")
      return stage.unlock()
    }
    stage.remove(orWarn: rules.warn)
  }

  private func change(
    _ record: LevelsRecord, _ root: OutputFolder, _ workshop: OutputFolder
  ) -> LevelsChange {
    LevelsChange(
      record: record, home: stage.holder, root: root, workshop: workshop,
      isDurable: stage.durability != .none)
  }

  /// Finds free names for the new levels, and writes down what is going to happen.
  private func begin(_ root: OutputFolder) throws(Fault) -> LevelsRecord {
    var changes: [LevelsRecord.Change] = []
    for node in nodes {
      let folder = node.folder.isEmpty ? stage.holder : try stage.holder.folder(node.folder)
      changes.append(LevelsRecord.Change(node: node, names: try Self.names(node, in: folder)))
    }
    let record = LevelsRecord(runID: runID, changes: changes)
    try root.write(LevelsRecord.name, record.bytes, durable: stage.durability != .none)
    if stage.durability != .none { try root.sync() }
    return record
  }

  /// Names that are free: `1`, `2`, … or, where one of them is in use, `1_2`, `2_2`, … and so on.
  private static func names(_ node: LevelsNode, in folder: OutputFolder) throws(Fault) -> [String] {
    let levels = 1...node.edit.transformations.count
    for generation in 1... {
      let names = levels.map { generation == 1 ? "\($0)" : "\($0)_\(generation)" }
      var isFree = true
      for name in names where try folder.kind(of: name) != nil || node.edit.old.contains(name) {
        isFree = false
      }
      if isFree { return names }
    }
    return []
  }

  func isCommitting(_ root: OutputFolder) throws(Fault) -> Bool {
    guard let record = try LevelsRecord.read(root, home: home), record.runID == runID else {
      return false
    }
    return try Self.alone(in: stage.holder, rules) { (workshop) throws(Fault) in
      let change = self.change(record, root, workshop)
      let isOther = try change.states().contains { $0 == .other }
      // What was written before the first step is not believed: all may be looked at again.
      if !isOther, try change.hasBegun() { return true }
      // When others have replaced its levels since, the ones before them are still this run's to
      // remove.
      try change.retire()
      try change.moveOut()
      try root.removeTree(LevelsRecord.name)
      return false
    }
  }

  func restore() {
    if let root = try? stage.root() {
      try? Self.settle(root, home: home, in: stage.holder, rules)
    }
  }

  /// Ends what a run began that nobody goes on with: what metadata list stays, what they do not goes.
  ///
  /// - Parameters:
  ///   - root: The folder of the stage.
  ///   - home: The image that holds it.
  ///   - holder: Its folder.
  ///   - rules: How locks are taken.
  /// - Throws: What the disk throws, and `locked` while copies of metadata cannot be changed.
  static func settle(
    _ root: OutputFolder, home: ImageLocation, in holder: OutputFolder, _ rules: LockRules
  ) throws(Fault) {
    guard let record = try LevelsRecord.read(root, home: home) else { return }
    try alone(in: holder, rules) { (workshop) throws(Fault) in
      let change = LevelsChange(
        record: record, home: holder, root: root, workshop: workshop, isDurable: false)
      let isOther = try change.states().contains { $0 == .other }
      if isOther { try change.retire() }
      try change.moveOut()
      if let warning = change.updateCopies(rules).first {
        throw Fault(.locked, home.displayName, warning)
      }
      try change.retire()
    }
  }
}

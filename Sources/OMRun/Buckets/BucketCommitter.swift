import OMImage
import OMJSON
import OMStore
import OMZarr

/// Commits results into a bucket, where nothing can be renamed: staged in a local folder, stored under
/// their keys when all is made, visible by the document of their group, listed last (specification:
/// reliability, section 5.4).
final class BucketCommitter: Committer {
  let stage: Stage
  let runID: String
  private let target: Target
  private let place: BucketPlace
  private let rules: LockRules
  private let work: WorkLog

  /// Makes a committer.
  ///
  /// - Parameters:
  ///   - place: Where results go.
  ///   - target: What goes there.
  ///   - scratch: The folder for stages.
  ///   - runID: The run.
  ///   - rank: The rank.
  ///   - durability: What waits for the disk.
  ///   - rules: How this process claims places.
  ///   - work: Hears that the work moves on.
  init(
    _ place: BucketPlace, _ target: Target, scratch: OutputFolder, runID: String, rank: Int,
    durability: Durability, _ rules: LockRules, _ work: WorkLog
  ) {
    self.place = place
    self.target = target
    self.runID = runID
    self.rules = rules
    self.work = work
    stage = Stage(
      holder: scratch, folder: place.stages, runID: runID, rank: rank, durability: durability)
  }

  var labelCount: Int { place.keys.count }

  func place(_ label: Int) -> String { place.staged[label] }

  func isInPlace(_ label: Int) throws(Fault) -> Bool {
    let found = try place.existing(label, runID)
    return found.map { Provenance.isOf(runID, $0.record) } ?? false
  }

  func stageMetadata(_ labels: [CommittedImage]) throws(Fault) {
    for (index, label) in labels.enumerated() { try write(label.arrays, label: place(index)) }
    if place.isApart, let node = place.nodes.first {
      try write(
        SeparateOutput.documents(labels.map(\.metadata), source: target.source),
        label: node.staged)
    } else {
      for (index, label) in labels.enumerated() {
        try write(
          label.metadata.group(source: LabelDocuments.sourceInPlace), label: place(index))
      }
    }
    if stage.durability != .none {
      try stage.syncFolders(place.staged + place.nodes.map(\.staged))
    }
  }

  func claim() throws(Fault) {
    var taken: [BucketPlace.Node] = []
    do throws(Fault) {
      for node in place.nodes {
        let hasConditions = try BucketClaim.take(place.bucket, node.key, runID, rules)
        taken.append(node)
        if hasConditions || rules.assumesSingleWriter { continue }
        if lists {
          throw BucketNode.needsConditions(place.home, "the list of \(target.shelf.name)")
        }
        if target.overwrites { throw BucketNode.needsConditions(place.home, "`--overwrite`") }
      }
    } catch {
      for node in taken { try? BucketClaim.release(place.bucket, node.key, runID) }
      throw error
    }
  }

  /// Whether a document that others change, too, names the results.
  private var lists: Bool { !place.isApart || target.register != nil }

  private func node(_ node: BucketPlace.Node, _ hasConditions: Bool) -> BucketNode {
    BucketNode(
      bucket: place.bucket, store: place.store, key: node.key, runID: runID, rules: rules,
      hasConditions: hasConditions)
  }

  func finish() throws(Fault) {
    let work = work
    let sending = BucketSending(check: rules.check) { work.stir() }
    var hasConditions = true
    var made: [BucketNode] = []
    for (index, entry) in place.nodes.enumerated() {
      let isThere = try isInPlace(index)
      hasConditions = try BucketClaim.take(place.bucket, entry.key, runID, rules)
      let node = node(entry, hasConditions)
      if !isThere {
        if try staged(index) != .own {
          throw Fault(
            .locked, target.uri(index),
            "what is staged is not what this run made: the disk has lost what was written",
            hint: "run the command again with `--fresh`")
        }
        let root = try stage.out().path
        let files = try FileStore(root: joinedKey(root, entry.staged))
        try node.publish(files, sending, replaces: target.overwrites)
      }
      made.append(node)
    }
    if let well = target.register as? WellRegister {
      try well.add(in: place.bucket, rules, hasConditions: hasConditions)
    } else if !place.isApart {
      let shelf = BucketShelf(target, place.bucket, rules, hasConditions: hasConditions)
      try shelf.list()
      // Before the old arrays go: who reads the copy finds the new ones.
      try shelf.updateCopy()
    }
    try clear(made)
    stage.remove(orWarn: rules.warn)
  }

  /// Removes what was replaced, and the claims.
  private func clear(_ nodes: [BucketNode]) throws(Fault) {
    var isChanged = false
    for node in nodes where try node.removeReplaced() { isChanged = true }
    if isChanged && !place.isApart {
      let hasConditions = nodes.allSatisfy(\.hasConditions)
      try BucketShelf(target, place.bucket, rules, hasConditions: hasConditions).updateCopy()
    }
    for node in nodes { try BucketClaim.release(place.bucket, node.key, runID) }
  }

  func restore() {
    // Nothing of a run that failed for good is left, unless it can be seen by now.
    for entry in place.nodes {
      let node = node(entry, true)
      guard let claim = try? BucketClaim.read(place.bucket, entry.key), claim.runID == runID,
        let isThere = try? node.isInPlace(), !isThere
      else { continue }
      _ = try? node.discard()
    }
  }

  func tidy() {
    for entry in place.nodes {
      guard let claim = try? BucketClaim.read(place.bucket, entry.key), claim.runID == runID else {
        continue
      }
      do throws(Fault) { try clear([node(entry, true)]) } catch {
        rules.warn(
          "the result is in its place, but something is left there: \(error.description); "
            + "`omtask clean \(place.home)` removes it")
      }
    }
  }

  func keeps(after kind: FaultKind) -> Bool {
    // New credentials go on where the old ones have ended.
    kind.mayPass || kind == .permission
  }
}

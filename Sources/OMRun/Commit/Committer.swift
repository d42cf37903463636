import OMImage
import OMJSON
import OMStore
import OMZarr

/// How results become visible: all of them at once, or not at all.
///
/// The order of calls is `stage.enter` (rank 0), `publish` (any worker of any rank), `stageMetadata`
/// and `finish` (rank 0). Until `finish` no reader that follows metadata sees anything.
protocol Committer: Sendable {
  /// Where results grow.
  var stage: Stage { get }
  /// The folder of a label image below `out`.
  func place(_ label: Int) -> String
  /// Stages the metadata of label images whose voxels are all staged.
  ///
  /// *Local*, rank 0.
  func stageMetadata(_ labels: [CommittedImage]) throws(Fault)
  /// Makes visible what is staged, and removes the stage. Called again after a crash it goes on.
  ///
  /// *Local*, rank 0.
  func finish() throws(Fault)
  /// Gives back what `finish` took out of its place before it was stopped.
  ///
  /// *Local*, rank 0.
  func restore()
  /// Whether a label image of this run stands in its place.
  func isInPlace(_ label: Int) throws(Fault) -> Bool
  /// Whether a run that was killed had begun to make visible what is in a stage: then only that is left.
  ///
  /// *Local*, rank 0.
  func isCommitting(_ root: OutputFolder) throws(Fault) -> Bool
  /// Claims the places of results where nothing else keeps other runs from them.
  ///
  /// *Local*, rank 0, before anything is made.
  func claim() throws(Fault)
  /// Removes what a run left whose results are in their places.
  ///
  /// *Local*, rank 0.
  func tidy()
  /// Whether what is staged is worth keeping after a fault.
  func keeps(after kind: FaultKind) -> Bool
  /// The number of label images.
  var labelCount: Int { get }
  /// The run.
  var runID: String { get }
}

extension Committer {
  func isCommitting(_ root: OutputFolder) throws(Fault) -> Bool { false }
  func claim() throws(Fault) {}
  func tidy() {}
  func keeps(after kind: FaultKind) -> Bool { kind.mayPass }

  /// Takes the lock of the run and finds out what was done before.
  ///
  /// *Local*, rank 0; parameters and errors as `Stage.enter`.
  func enter(_ record: JSONObject, _ rules: StageRules) throws(Fault) -> StageEntry {
    var entry = try stage.enter(record, rules, isCommitting: isCommitting) { () throws(Fault) in
      for label in 0..<labelCount where try staged(label) == .other { return true }
      return false
    }
    if !PastWork(entry.journals).isComplete { return entry }
    // Until the first rename all is read again: a lying disk or a power cut may have taken what was
    // staged, with `--durability none` at least.
    for label in 0..<labelCount {
      if try isInPlace(label) {
        entry.isComplete = true
      } else if try staged(label) != .own {
        entry.isComplete = false
        break
      }
    }
    return entry
  }

  /// Whose label image lies in the stage.
  func staged(_ label: Int) throws(Fault) -> StagedLabel {
    let place = place(label)
    guard try stage.out().kind(of: place) == .folder else { return .nothing }
    let store = try FileStore(root: try stage.out().path)
    // Without metadata it is one that was not finished; documents that cannot be read are not ours.
    do throws(Fault) {
      guard let group = try ZarrGroup.open(store, path: place) else { return .nothing }
      return Provenance.isOf(runID, group.attributes["omtask"]) ? .own : .other
    } catch {
      // What the disk does not give back now may still be ours.
      if error.kind == .io { throw error }
      return .other
    }
  }

  /// Stores a finished write unit.
  ///
  /// *Local*, from any worker.
  func publish(
    label: Int, level: Int, key: String, bytes: UnsafeRawBufferPointer
  ) throws(Fault) {
    try stage.write(key, label: place(label), level: LabelDocuments.levelPath(level), bytes)
  }

  /// A staged array, for making coarser levels of it.
  ///
  /// *Local*.
  func staged(label: Int, level: Int, layout: ArrayLayout) throws(Fault) -> ZarrArray {
    try stage.array(
      label: place(label), level: LabelDocuments.levelPath(level), layout: layout)
  }

  /// Stages documents of a label image; waits for the disk where that is asked for.
  func write(_ documents: [MetadataDocument], label: String) throws(Fault) {
    for document in documents { try stage.write(document, label: label) }
    if stage.durability == .none { return }
    for document in documents { try stage.sync(document, label: label) }
  }
}

/// Whose complete label image lies in a stage.
enum StagedLabel {
  /// None, or one that has no metadata yet.
  case nothing
  /// One of this run.
  case own
  /// One that was taken out of its place.
  case other
}

/// An image of ours that is complete but for its metadata.
struct CommittedImage: Sendable {
  /// The metadata of its group.
  let metadata: any GroupDocuments
  /// The documents of its arrays, with keys below the image.
  let arrays: [MetadataDocument]
}

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
  func stageMetadata(_ labels: [CommittedLabel]) throws(Fault)
  /// Makes visible what is staged, and removes the stage. Called again after a crash it goes on.
  ///
  /// *Local*, rank 0.
  func finish() throws(Fault)
  /// Gives back what `finish` took out of its place before it was stopped.
  ///
  /// *Local*, rank 0.
  func restore()
}

extension Committer {
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

/// A label image that is complete but for its metadata.
struct CommittedLabel: Sendable {
  /// The metadata of its group.
  let metadata: LabelDocuments
  /// The documents of its arrays, with keys below the label image.
  let arrays: [MetadataDocument]
}

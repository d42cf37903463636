import OMImage
import OMJSON
import OMZarr

/// How results become visible: all of them at once, or not at all.
///
/// The order of calls is `prepare` (rank 0), `publish` (any worker of any rank), `commit` or `discard`
/// (rank 0). Until `commit` no reader that follows metadata sees anything.
protocol Committer: Sendable {
  /// Makes a place for the results of a run.
  ///
  /// *Local*, rank 0.
  func prepare(_ record: JSON) throws(Fault)
  /// Stores a finished write unit.
  ///
  /// *Local*, from any worker.
  func publish(
    label: Int, level: Int, key: String, bytes: UnsafeRawBufferPointer
  ) throws(Fault)
  /// A staged array, for making coarser levels of it.
  ///
  /// *Local*.
  func staged(label: Int, level: Int, layout: ArrayLayout) throws(Fault) -> ZarrArray
  /// Makes the results visible.
  ///
  /// *Local*, rank 0.
  func commit(_ labels: [CommittedLabel]) throws(Fault)
  /// Removes what was prepared.
  ///
  /// *Local*, rank 0.
  func discard()
  /// Bytes that this rank published.
  var bytesWritten: Int { get }
}

/// A label image that is complete but for its metadata.
struct CommittedLabel: Sendable {
  /// The metadata of its group.
  let metadata: LabelDocuments
  /// The documents of its arrays, with keys below the label image.
  let arrays: [MetadataDocument]
}

import OMImage
import OMJSON
import OMStore

/// A lock that is held for a moment at the end of a run, in the folder of stages of an image, a well or a
/// plate, or beside a result.
struct CommitLock: Sendable {
  /// What it is about: `labels` for `labels.lock`.
  let subject: String

  /// The name of its file.
  var name: String { subject + ".lock" }
  /// The name of the new version of a document while its holder makes it.
  var spare: String { subject + ".new" }

  /// All there are.
  static let all =
    Shelf.allCases.map(\.lock) + [
      AncestorMetadata.lock, WellRegister.lock, SeparateCommitter.lock, InPlaceCommitter.lock,
      CollectionRegister.lock,
    ]

  /// What is there of the lock and of what its holder was making.
  func left(in stages: OutputFolder) throws(Fault) -> [String] {
    try stages.list().filter { $0 == spare || $0.hasPrefix(name) }
  }

  /// Removes what a process left that ended while it held the lock.
  ///
  /// - Parameter stages: The folder the lock lies in.
  /// - Throws: Kind `locked` when another process holds the lock, and what the disk gives.
  func clear(in stages: OutputFolder) throws(Fault) {
    let lock = try FileLock.acquire(name, in: stages, patience: 0)
    defer { lock.release() }
    try stages.removeTree(spare)
  }

  /// Removes what a killed process left and the folder when nothing else is in it, unless another one
  /// is about that.
  ///
  /// *Local*.
  ///
  /// - Parameters:
  ///   - folder: The name of the folder of stages.
  ///   - holder: What that folder lies in.
  func tidy(_ folder: String, of holder: OutputFolder) {
    guard let stages = try? holder.folder(folder) else { return }
    if let left = try? left(in: stages), !left.isEmpty { try? clear(in: stages) }
    try? holder.removeIfEmpty(folder)
  }
}

extension Shelf {
  /// The lock under which its list changes.
  var lock: CommitLock { CommitLock(subject: name) }
}

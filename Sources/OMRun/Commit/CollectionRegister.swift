import Glibc
import OMImage
import OMJSON
import OMStore

/// The collection of RFC-8 in which a run lists what it made: `--collection FILE`.
///
/// Images stay as they are: the collection leads to them, so whoever does not know RFC-8 misses nothing.
struct CollectionRegister: Sendable {
  /// The folder of the file, without links in its path.
  private let folder: String
  /// The name of the file.
  private let name: String

  /// The lock under which collections in a folder change.
  static let lock = CommitLock(subject: "collection")

  /// Looks at the place of the collection before anything is computed.
  ///
  /// - Parameter uri: A local path that ends in `.json`.
  /// - Throws: `usage` for another name, `missing` for a folder that is not there, and what is wrong
  ///   with a document that is.
  init(_ uri: String) throws(Fault) {
    let path = try SeparatePath(uri, called: "`--collection`")
    if !path.name.hasSuffix(".json") {
      throw Fault(
        .usage, uri, "`--collection` is no JSON file", hint: "give a path such as collection.json")
    }
    if let (archive, _) = try LocalPlace.archive(in: path.parent) {
      throw Fault(.permission, uri, "lies in the archive `\(archive)`, and archives are only read")
    }
    folder = try FileStore(root: path.parent).root
    name = path.name
    if access(folder, W_OK) != 0 {
      throw Fault(.permission, folder, "`--collection` lies in a folder that cannot be written to")
    }
    let bytes = try OutputFolder(path: folder).read(name, limit: JSON.maximumBytes)
    _ = try CollectionList.adding([], record: [:], to: bytes, name: name, folder: folder)
  }

  /// Lists results.
  ///
  /// - Parameters:
  ///   - entries: The results.
  ///   - record: How they were made.
  ///   - rules: How the lock is taken.
  ///   - isDurable: Whether to wait for the disk.
  /// - Throws: `locked` when others keep changing it, `exists` for a name that leads elsewhere, and what
  ///   the disk gives. The results are complete all the same.
  func add(
    _ entries: [CollectionList.Entry], record: JSON, _ rules: LockRules, isDurable: Bool
  ) throws(Fault) {
    if entries.isEmpty { return }
    let place = try OutputFolder(path: folder)
    defer { try? place.removeIfEmpty(ImageCommitter.folder) }
    let (lock, workshop) = try rules.acquire(
      CollectionRegister.lock, in: ImageCommitter.folder, of: place)
    defer { lock.release() }
    let update = DocumentUpdate(
      workshop: workshop, spareName: CollectionRegister.lock.spare, isDurable: isDurable)
    try update.change(name, in: place) { (bytes) throws(Fault) in
      try CollectionList.adding(entries, record: record, to: bytes, name: name, folder: folder)
    }
  }
}

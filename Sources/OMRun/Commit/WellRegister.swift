import OMImage
import OMJSON
import OMStore

/// The list of images of a well, in which a derived image is entered beside the one it was made of.
struct WellRegister: ResultRegister {
  /// The whole hierarchy.
  let store: any Store
  /// The key of the well.
  let well: String
  /// The version of its metadata.
  let version: OMEVersion
  /// The path of the derived image below the well.
  let name: String
  /// The path of the image it was made of.
  let origin: String

  /// The lock under which the list of a well changes.
  static let lock = CommitLock(subject: "images")

  /// The register for a derived image beside an image; nil where no well lists that.
  init?(_ location: ImageLocation, name: String) throws(Fault) {
    let found = try location.naming { () throws(Fault) in try WellList.well(of: location) }
    guard let found else { return nil }
    store = location.store
    well = found.path
    version = found.version
    self.name = name
    origin = location.name
  }

  func isListed() throws(Fault) -> Bool {
    do throws(Fault) {
      return try DocumentUpdate.settled { () throws(Fault) in
        try WellList.lists(name, well: well, in: store)
      }
    } catch { throw error.below(store.description) }
  }

  func isNamed() throws(Fault) -> Bool { try isListed() }

  func check() throws(Fault) {}

  func prepare(_ stage: OutputFolder, in holder: OutputFolder) throws(Fault) {}

  func tidy() {
    guard let folder = try? OutputFolder(path: joinedKey(store.description, well)) else { return }
    WellRegister.lock.tidy(ImageCommitter.folder, of: folder)
  }

  func add(_ rules: LockRules, isDurable: Bool) throws(Fault) {
    // By its own path, as the stage: with links that the user allowed it may lie elsewhere.
    let folder = try OutputFolder(path: joinedKey(store.description, well))
    defer { try? folder.removeIfEmpty(ImageCommitter.folder) }
    if try isListed() { return }
    let (lock, workshop) = try rules.acquire(
      WellRegister.lock, in: ImageCommitter.folder, of: folder)
    defer { lock.release() }
    let theirs = NgioLock.acquire(root: store.description, group: well)
    defer { withExtendedLifetime(theirs) {} }
    let update = DocumentUpdate(
      workshop: workshop, spareName: WellRegister.lock.spare, isDurable: isDurable)
    let document = version.documentName
    try update.change(document, in: folder) { (bytes) throws(Fault) in
      let subject = "\(folder.path)/\(document)"
      guard let bytes else { throw Fault(.missing, subject, "the metadata of the well are gone") }
      return try WellList.adding(name, besides: origin, to: bytes, subject: subject)
    }
  }
}

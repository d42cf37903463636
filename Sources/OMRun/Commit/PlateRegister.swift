import OMImage
import OMJSON
import OMStore
import OMZarr

/// The lists of a new plate, in which its images are entered one by one.
///
/// The folder of the plate appears as a group of ours that is no plate yet, by one rename. An image is
/// moved to its place when it is complete; then its well lists it, and then the plate lists the well.
struct PlateRegister: ResultRegister {
  let plate: NewPlate

  private var well: String { plate.field.well }
  private var name: String { plate.field.name }
  private var document: String { plate.list.version.documentName }

  /// The plate as it is now; nil when there is none.
  private func store() throws(Fault) -> FileStore? {
    let kind = try OutputFolder(path: plate.path.parent).kind(of: plate.path.name)
    return kind == nil ? nil : try FileStore(root: plate.path.uri)
  }

  func check() throws(Fault) {
    let kind = try OutputFolder(path: plate.path.parent).kind(of: plate.path.name)
    guard let kind else { return }
    var problem: String? = "is there already, and is no plate that omtask made"
    if kind == .folder {
      do throws(Fault) {
        let store = try FileStore(root: plate.path.uri)
        problem = try plate.list.problem(in: store)
      } catch {
        if error.kind != .unsupported && error.kind != .metadata {
          throw error.below(plate.path.uri)
        }
      }
    }
    guard let problem else { return }
    throw Fault(
      .exists, plate.path.uri, problem,
      hint: "give another path; `--overwrite` replaces images of omtask's plates only")
  }

  func isListed() throws(Fault) -> Bool {
    guard let store = try store() else { return false }
    return try settled(store) { () throws(Fault) in
      try PlateList.lists(name, well: well, in: store)
    }
  }

  func isNamed() throws(Fault) -> Bool {
    guard let store = try store() else { return false }
    return try settled(store) { () throws(Fault) in
      try WellList.lists(name, well: well, in: store)
    }
  }

  /// Reads lists that another process may be changing; faults name whole paths.
  private func settled(
    _ store: FileStore, _ read: () throws(Fault) -> Bool
  ) throws(Fault) -> Bool {
    do throws(Fault) { return try DocumentUpdate.settled(read) } catch {
      throw error.below(store.description)
    }
  }

  /// The folder in a stage in which the group of the plate is made.
  private static let workshop = "plate"

  func prepare(_ stage: OutputFolder, in holder: OutputFolder) throws(Fault) {
    if try holder.kind(of: plate.path.name) == nil {
      // A killed process may have left a part.
      try stage.removeTree(PlateRegister.workshop)
      let fresh = try stage.makeFolder(PlateRegister.workshop)
      for document in plate.list.root(source: plate.source) {
        try fresh.write(document.key, document.bytes, durable: false)
      }
      do throws(Fault) {
        try stage.renameNoReplace(PlateRegister.workshop, to: holder, plate.path.name)
      } catch {
        // Another process makes the same plate.
        if error.kind != .exists { throw error }
        try stage.removeTree(PlateRegister.workshop)
      }
    }
    try check()
    _ = try holder.makeFolder("\(plate.path.name)/\(well)")
  }

  func add(_ rules: LockRules, isDurable: Bool) throws(Fault) {
    let root = try OutputFolder(path: plate.path.uri)
    let images = try enterImage(root, rules, isDurable)
    if let store = try store(), try isListed(), try isTrue(images, store) { return }
    defer { try? root.removeIfEmpty(ImageCommitter.folder) }
    let (lock, workshop) = try rules.acquire(
      AncestorMetadata.lock, in: ImageCommitter.folder, of: root)
    defer { lock.release() }
    let theirs = NgioLock.acquire(root: root.path, group: "")
    defer { withExtendedLifetime(theirs) {} }
    try makeGroup(try root.folder(row), isDurable)
    let update = DocumentUpdate(
      workshop: workshop, spareName: AncestorMetadata.lock.spare, isDurable: isDurable)
    try update.change(document, in: root) { (bytes) throws(Fault) in
      try plate.list.plate(bytes, images: images, subject: "\(root.path)/\(document)")
    }
  }

  private var row: String { well.split(separator: "/").first.map(String.init) ?? well }

  /// Whether the plate knows wells with as many images.
  private func isTrue(_ images: Int, _ store: FileStore) throws(Fault) -> Bool {
    let bytes = try store.get(document, limit: JSON.maximumBytes)
    return try plate.list.plate(bytes, images: images, subject: document) == nil
  }

  /// Enters the image in its well.
  ///
  /// - Returns: How many images the well lists then.
  private func enterImage(
    _ root: OutputFolder, _ rules: LockRules, _ isDurable: Bool
  ) throws(Fault) -> Int {
    let folder = try root.folder(well)
    defer { try? folder.removeIfEmpty(ImageCommitter.folder) }
    let (lock, workshop) = try rules.acquire(
      WellRegister.lock, in: ImageCommitter.folder, of: folder)
    defer { lock.release() }
    let theirs = NgioLock.acquire(root: root.path, group: well)
    defer { withExtendedLifetime(theirs) {} }
    if plate.list.version.zarrFormat == 2 { try makeGroup(folder, isDurable) }
    let update = DocumentUpdate(
      workshop: workshop, spareName: WellRegister.lock.spare, isDurable: isDurable)
    try update.change(document, in: folder) { (bytes) throws(Fault) in
      try plate.list.well(bytes, subject: "\(folder.path)/\(document)")
    }
    return try PlateList.imageCount(well: well, in: try FileStore(root: plate.path.uri))
  }

  /// Writes the documents that make a folder a group, where they are missing.
  private func makeGroup(_ folder: OutputFolder, _ isDurable: Bool) throws(Fault) {
    for document in plate.list.row() where try folder.kind(of: document.key) == nil {
      try folder.write(document.key, document.bytes, durable: isDurable)
    }
  }

  func tidy() {
    guard let root = try? OutputFolder(path: plate.path.uri) else { return }
    AncestorMetadata.lock.tidy(ImageCommitter.folder, of: root)
    guard let folder = try? root.folder(well) else { return }
    WellRegister.lock.tidy(ImageCommitter.folder, of: folder)
    SeparateCommitter.lock.tidy(plate.image.lockFolder, of: folder)
  }
}

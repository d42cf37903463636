import OMImage
import OMJSON
import OMStore
import OMZarr

/// Commits label images into the image they belong to: staged in `<image>/.omtask`, moved to
/// `labels/<name>` by a rename, then listed (specification: reliability, section 5).
final class ImageCommitter: Committer {
  let stage: Stage
  private let image: OMEImage
  private let names: [String]
  private let overwrites: Bool
  private let runID: String
  private let rules: LockRules
  private let watch: LabelsWatch

  /// The folder of stages in an image.
  static let folder = ".omtask"
  /// The end of the name of a label image that was put aside for a new one.
  private static let old = ".old"

  /// Makes a committer.
  ///
  /// - Throws: A fault of kind `permission` when the image cannot be opened for writing.
  init(
    _ target: Target, runID: String, rank: Int, durability: Durability, _ rules: LockRules,
    _ watch: LabelsWatch
  ) throws(Fault) {
    image = target.image
    names = target.names
    overwrites = target.overwrites
    self.runID = runID
    self.rules = rules
    self.watch = watch
    let folder = try OutputFolder(path: image.location.displayName)
    stage = Stage(
      holder: folder, folder: ImageCommitter.folder, runID: runID, rank: rank,
      durability: durability)
  }

  func place(_ label: Int) -> String { names[label] }

  func stageMetadata(_ labels: [CommittedLabel]) throws(Fault) {
    for label in labels {
      try write(label.arrays + label.metadata.group(), label: label.metadata.name)
    }
    if stage.durability != .none { try stage.syncFolders(names) }
  }

  func finish() throws(Fault) {
    let isDurable = stage.durability != .none
    let register = LabelsRegister(
      location: image.location, version: image.version, names: names, isDurable: isDurable,
      rules: rules)
    let state = try register.commit(in: stage.holder) { (place) throws(Fault) in
      for name in names { try put(name, into: place) }
      if isDurable {
        try place.sync()
        try stage.holder.sync()
      }
    }
    watch.add(register, state)
    try stage.remove()
  }

  func restore() {
    guard let out = try? stage.out(), let place = try? stage.holder.folder("labels") else { return }
    for name in names where (try? place.kind(of: name)) == .some(nil) {
      try? out.renameNoReplace(name + ImageCommitter.old, to: place, name)
    }
  }

  /// Whether a label image of this very run stands in its place.
  private func isInPlace(_ name: String) throws(Fault) -> Bool {
    let location = image.location
    let found = try location.naming { () throws(Fault) in
      try ExistingLabel.find(name, image: location.path, in: location.store)
    }
    return found.map { Provenance.isOf(runID, $0.record) } ?? false
  }

  /// Moves a staged label image to its place, unless a run that was stopped here has done so.
  private func put(_ name: String, into place: OutputFolder) throws(Fault) {
    if stage.holdsMore, try isInPlace(name) { return }
    do {
      try move(name, to: place)
    } catch {
      guard error.kind == .exists, try isInPlace(name) else { throw error }
    }
  }

  private func move(_ name: String, to place: OutputFolder) throws(Fault) {
    let out = try stage.out()
    // Without `overwrites` the rename itself finds out whether the name is taken.
    let isTaken = overwrites ? try place.kind(of: name) != nil : false
    if !isTaken { return try out.renameNoReplace(name, to: place, name) }
    do throws(Fault) {
      // The old label image is now in the stage and goes with it.
      try out.renameExchange(name, with: place, name)
    } catch {
      if error.kind != .unsupported { throw error }
      try place.renameNoReplace(name, to: out, name + ImageCommitter.old)
      try out.renameNoReplace(name, to: place, name)
    }
  }
}

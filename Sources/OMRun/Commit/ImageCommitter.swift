import OMImage
import OMJSON
import OMStore
import OMZarr

/// Commits label images or tables into the image they belong to: staged in `<image>/.omtask`, moved to
/// `labels/<name>` or `tables/<name>` by a rename, then listed (specification: reliability, section 5).
final class ImageCommitter: Committer {
  let stage: Stage
  private let target: Target
  private let image: OMEImage
  private let shelf: Shelf
  private let names: [String]
  private let overwrites: Bool
  let runID: String
  private let rules: LockRules
  private let watch: LabelsWatch

  /// The folder of stages in an image.
  static let folder = ".omtask"
  /// The folder of a stage for label images that are put aside for new ones.
  static let old = "old"
  /// The folder of a stage for what is put aside from a group of results.
  static func old(_ shelf: Shelf) -> String { shelf == .labels ? old : "old.\(shelf.name)" }

  /// Makes a committer.
  ///
  /// - Throws: A fault of kind `permission` when the image cannot be opened for writing.
  init(
    _ target: Target, runID: String, rank: Int, durability: Durability, _ rules: LockRules,
    _ watch: LabelsWatch
  ) throws(Fault) {
    self.target = target
    image = target.image
    shelf = target.shelf
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

  var labelCount: Int { names.count }

  func place(_ label: Int) -> String { names[label] }

  func stageMetadata(_ labels: [CommittedImage]) throws(Fault) {
    for label in labels {
      try write(
        label.arrays + label.metadata.group(source: LabelDocuments.sourceInPlace),
        label: label.metadata.name)
    }
    if stage.durability != .none { try stage.syncFolders(names) }
  }

  func finish() throws(Fault) {
    let isDurable = stage.durability != .none
    let register = LabelsRegister(
      shelf: shelf, location: image.location, version: image.version, names: names,
      isDurable: isDurable,
      rules: rules)
    var moves: [Move] = []
    let state = try register.commit(in: stage.holder) { (place) throws(Fault) in
      for label in names.indices {
        if let move = try put(label, into: place) { moves.append(move) }
      }
      if isDurable {
        try place.sync()
        try stage.holder.sync()
      }
    } undo: { place in
      for move in moves.reversed() { try? undo(move, in: place) }
    }
    watch.add(register, state)
    stage.remove(orWarn: rules.warn)
  }

  /// How a label image came to its place.
  private struct Move {
    let name: String
    /// Whether the one that was there lies in the stage now.
    let isExchange: Bool
  }

  /// Brings a label image back into the stage, and the one that was there before back to its place.
  private func undo(_ move: Move, in place: OutputFolder) throws(Fault) {
    let out = try stage.out()
    if move.isExchange {
      try out.renameExchange(move.name, with: place, move.name)
    } else {
      try place.renameNoReplace(move.name, to: out, move.name)
    }
  }

  func restore() {
    if let root = try? stage.root() {
      try? ImageCommitter.restore(from: root, in: stage.holder)
    }
  }

  /// Gives label images that were put aside back to their places, where those are free.
  static func restore(from root: OutputFolder, in image: OutputFolder) throws(Fault) {
    for shelf in Shelf.allCases {
      guard try root.kind(of: old(shelf)) == .folder else { continue }
      let aside = try root.folder(old(shelf))
      for name in try aside.list() where try image.kind(of: "\(shelf.name)/\(name)") == nil {
        try aside.renameNoReplace(name, to: try image.makeFolder(shelf.name), name)
      }
    }
  }

  func isInPlace(_ label: Int) throws(Fault) -> Bool {
    let location = image.location
    let found = try location.naming { () throws(Fault) in
      try ExistingLabel.find(
        names[label], image: location.path, in: location.store, shelf: shelf)
    }
    return found.map { Provenance.isOf(runID, $0.record) } ?? false
  }

  /// Moves a staged label image to its place, unless a run that was stopped here has done so.
  ///
  /// - Returns: How it can be moved back; nil when it was there, or cannot be.
  private func put(_ label: Int, into place: OutputFolder) throws(Fault) -> Move? {
    if stage.holdsMore {
      if try isInPlace(label) { return nil }
      // What else lies there may be the label image of somebody else, taken out of its place.
      if try staged(label) != .own {
        throw Fault(
          .locked, place.path,
          "`\(names[label])` is not what this run made: another run has replaced it, or the disk "
            + "has lost what was written",
          hint: "run the command again")
      }
    }
    do {
      return try move(label, to: place)
    } catch {
      guard error.kind == .exists, try isInPlace(label) else { throw error }
      return nil
    }
  }

  private func move(_ label: Int, to place: OutputFolder) throws(Fault) -> Move? {
    let (name, out) = (names[label], try stage.out())
    // Without `overwrites` the rename itself finds out whether the name is taken.
    let kind = overwrites ? try place.kind(of: name) : nil
    if kind == nil {
      try out.renameNoReplace(name, to: place, name)
      return Move(name: name, isExchange: false)
    }
    if kind == .file {
      throw Fault(
        .exists, target.uri(label), "is there already and is a file, no \(shelf.noun)",
        hint: "remove it, or take another name")
    }
    // Somebody may have put something there since the run began.
    try target.checkReplaceable(label)
    do throws(Fault) {
      // The old label image is now in the stage and goes with it.
      try out.renameExchange(name, with: place, name)
      return Move(name: name, isExchange: true)
    } catch {
      if error.kind != .unsupported { throw error }
      stage.expectMore()
      let old = try stage.root().makeFolder(ImageCommitter.old(shelf))
      try old.removeTree(name)
      try place.renameNoReplace(name, to: old, name)
      try out.renameNoReplace(name, to: place, name)
      return nil
    }
  }
}

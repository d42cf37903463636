import OMImage
import OMJSON
import OMStore

/// Looks for what runs left in an image: stages, locks and temporary files.
struct LeftoverCheck {
  private let verifier: Verifier
  private let image: OMEImage
  /// Whether a run works in the image.
  private var isBusy = false

  init(_ verifier: Verifier, _ image: OMEImage) {
    self.verifier = verifier
    self.image = image
  }

  private var store: any Store { image.location.store }
  private var path: String { image.location.path }

  /// Looks; with `--repair` what nobody needs is removed.
  mutating func run() {
    // What lies in an archive is no stage that anybody goes on with.
    if store.folder == nil { return }
    do throws(Fault) {
      try checkStages()
      for folder in [""] + Shelf.allCases.map(\.name) {
        try checkTemporaryFiles(joinedKey(path, folder))
      }
    } catch { verifier.log.problem(image.location.naming(error)) }
  }

  private mutating func checkStages() throws(Fault) {
    let folder = joinedKey(path, ImageCommitter.folder)
    if try store.stamp(folder) == nil { return }
    let names = try store.list(folder)
    let stages = try OutputFolder(path: joinedKey(store.description, folder))
    for lock in CommitLock.all { try checkLock(lock.name, in: stages) }
    for name in names {
      if try stages.kind(of: name) == .folder { try checkStage(name, in: stages) }
    }
    if verifier.options.repairs && !isBusy {
      try OutputFolder(path: image.location.displayName).removeIfEmpty(ImageCommitter.folder)
    }
  }

  private mutating func checkStage(_ name: String, in stages: OutputFolder) throws(Fault) {
    let stage = try stages.folder(name)
    try checkLock("lock", in: stage)
    let entries = try stage.list()
    for name in entries where Stage.part(ofLock: name) != nil { try checkLock(name, in: stage) }
    let holdsNothing = entries.allSatisfy {
      $0 == "run.json" || $0 == "out" || $0.hasPrefix("lock")
    }
    let results = try stage.kind(of: "out") == nil ? [] : try stage.folder("out").list()
    if !holdsNothing || !results.isEmpty {
      verifier.log.remark(
        stage.path, "holds a run that was not finished",
        hint: "the same command finishes it, `omtask clean` removes it")
    } else if verifier.options.repairs && !isBusy {
      try remove(stages, name)
    } else {
      verifier.log.remark(stage.path, "was left by a run and holds no data")
    }
  }

  /// Tells about a lock; while its holder lives nothing is removed.
  private mutating func checkLock(_ name: String, in folder: OutputFolder) throws(Fault) {
    guard let state = try FileLock.look(name, in: folder) else { return }
    if !state.isStale { isBusy = true }
    verifier.log.remark(
      "\(folder.path)/\(name)",
      state.isStale ? "is a lock whose holder is gone: \(state)" : "is held by \(state)")
  }

  /// Names of the form `.<name>.<writer>.tmp`, under which files are written before they are renamed.
  private func checkTemporaryFiles(_ folder: String) throws(Fault) {
    for name in try store.list(folder) {
      guard name.hasPrefix("."), name.hasSuffix(".tmp"), name.split(separator: ".").count > 2
      else { continue }
      let parent = joinedKey(store.description, folder)
      if verifier.options.repairs && !isBusy {
        try remove(OutputFolder(path: parent), name)
      } else {
        verifier.log.remark(joinedKey(parent, name), "is a file that was never finished")
      }
    }
  }

  private func remove(_ folder: OutputFolder, _ name: String) throws(Fault) {
    try folder.removeTree(name)
    verifier.log.repaired("removed \(folder.path)/\(name)")
  }
}

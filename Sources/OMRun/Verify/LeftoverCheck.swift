import OMImage
import OMJSON
import OMStore

/// Looks for what runs left in an image: stages, locks and temporary files.
struct LeftoverCheck {
  private let verifier: Verifier
  private let image: OMEImage
  private var hasLocks = false

  init(_ verifier: Verifier, _ image: OMEImage) {
    self.verifier = verifier
    self.image = image
  }

  private var store: any Store { image.location.store }
  private var path: String { image.location.path }

  /// Looks; with `--repair` what nobody needs is removed.
  mutating func run() {
    do throws(Fault) {
      try checkStages()
      for folder in ["", "labels"] { try checkTemporaryFiles(joinedKey(path, folder)) }
    } catch { verifier.log.problem(image.location.naming(error)) }
  }

  private mutating func checkStages() throws(Fault) {
    let folder = joinedKey(path, ".omtask")
    for name in try store.list(folder) {
      let place = "\(image.location.displayName)/.omtask/\(name)"
      if name.contains(".lock") || name.hasPrefix("lock") {
        hasLocks = true
        verifier.log.remark(place, "is the lock of a run")
        continue
      }
      let entries = try store.list(joinedKey(folder, name))
      if entries.contains(where: { $0.hasPrefix("lock") }) { hasLocks = true }
      let isEmpty = try isEmpty(joinedKey(folder, name), entries)
      if !isEmpty {
        verifier.log.remark(
          place, "holds a run that was not finished",
          hint: "the same command finishes it, `omtask clean` removes it")
      } else if verifier.options.repairs && !hasLocks {
        try remove("\(image.location.displayName)/.omtask", name)
      } else {
        verifier.log.remark(place, "was left by a run and holds no data")
      }
    }
    if verifier.options.repairs && !hasLocks {
      try OutputFolder(path: image.location.displayName).removeIfEmpty(".omtask")
    }
  }

  /// Whether a stage holds nothing that a resumed run could use.
  private func isEmpty(_ stage: String, _ entries: [String]) throws(Fault) -> Bool {
    guard entries.allSatisfy({ $0 == "run.json" || $0 == "out" }) else { return false }
    return try store.list(joinedKey(stage, "out")).isEmpty
  }

  /// Names of the form `.<name>.<writer>.tmp`, under which files are written before they are renamed.
  private func checkTemporaryFiles(_ folder: String) throws(Fault) {
    for name in try store.list(folder) {
      guard name.hasPrefix("."), name.hasSuffix(".tmp"), name.split(separator: ".").count > 2
      else { continue }
      let parent = joinedKey(store.description, folder)
      if verifier.options.repairs && !hasLocks {
        try remove(parent, name)
      } else {
        verifier.log.remark(joinedKey(parent, name), "is a file that was never finished")
      }
    }
  }

  private func remove(_ folder: String, _ name: String) throws(Fault) {
    try OutputFolder(path: folder).removeTree(name)
    verifier.log.repaired("removed \(folder)/\(name)")
  }
}

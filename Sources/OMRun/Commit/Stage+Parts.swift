import OMGrid
import OMJSON
import OMStore

// Several processes in one stage, each with a part of the work (`--part I/N`).
//
// The lock of the run is held by whoever may change everything: throw the stage away, tidy up, commit. A
// part takes it for a moment, to enter: it takes a lock of its own, makes the journal that only it writes,
// and gives the lock of the run back. Who takes the lock of the run for long waits, with it in hand, until
// no part has a lock, so nobody else is in the stage then; and no part asks for the lock of the run while
// it holds its own, so nobody waits for ever.

extension Stage {
  private static let partPrefix = "part-"
  private static let lockSuffix = ".lock"

  /// The name of the lock of a part.
  static func lockName(of part: WorkPart) -> String {
    "\(partPrefix)\(part.index)-of-\(part.count)\(lockSuffix)"
  }

  /// The part whose lock has a name; nil for other files.
  static func part(ofLock name: String) -> WorkPart? {
    guard name.hasPrefix(partPrefix), name.hasSuffix(lockSuffix) else { return nil }
    let words = name.dropFirst(partPrefix.count).dropLast(lockSuffix.count).split(separator: "-")
    guard words.count == 3, words[1] == "of", let index = Int(words[0]), let count = Int(words[2])
    else { return nil }
    return WorkPart(index, of: count)
  }

  /// Waits until no part is at work in a stage; the lock of the run is held, so none comes.
  ///
  /// Locks that were left are removed. *Local*.
  ///
  /// - Parameters:
  ///   - stage: The stage.
  ///   - holder: Who waits.
  ///   - patience: Seconds to wait.
  ///   - warn: Hears of locks that were left.
  ///   - check: Ends the waiting by throwing.
  /// - Throws: A fault of kind `locked` when a part stays at work.
  static func waitForParts(
    in stage: OutputFolder, holder: LockHolder = .thisProcess(), patience: Double,
    warn: (String) -> Void = { _ in }, whileWaiting check: () throws(Fault) -> Void = {}
  ) throws(Fault) {
    let wait = LockWait(patience)
    for name in try stage.list() where part(ofLock: name) != nil {
      try FileLock.acquire(
        name, in: stage, holder: holder, patience: wait.left,
        onBreak: warn, whileWaiting: check
      ).release()
    }
  }

  /// Refuses to cut the work in two ways at once; the lock of the run is held.
  func checkCut(_ part: WorkPart, in stage: OutputFolder) throws(Fault) {
    for name in try stage.list() {
      guard let other = Stage.part(ofLock: name), other.count != part.count,
        let state = try FileLock.look(name, in: stage), !state.isStale
      else { continue }
      throw Fault(
        .locked, stage.path,
        "part \(other) is at work here (\(state)), and this is part \(part)",
        hint: "cut the run into the same number of parts, or wait until the others have ended")
    }
  }
}

// MARK: - What parts have done

extension Stage {
  /// What all journals say now; nothing when the stage is gone.
  ///
  /// *Local*; takes no lock, so that journals may grow meanwhile.
  func pastWork() throws(Fault) -> PastWork {
    do {
      return PastWork(try journals(in: try root()))
    } catch {
      if error.kind == .missing { return PastWork() }
      throw error
    }
  }
}

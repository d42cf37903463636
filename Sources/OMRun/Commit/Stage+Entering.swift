import OMGrid
import OMJSON
import OMStore

/// How a run finds its stage.
struct StageEntry: Sendable {
  /// Whether there was none before.
  var isNew: Bool
  /// How often the run was begun before.
  var invocation = 0
  /// The journals of earlier invocations, the latest last.
  var journals: [Journal] = []
  /// Whether everything is staged, so that only the renames are left.
  var isComplete = false

  /// A journal: the end of its name and its bytes.
  struct Journal: Sendable {
    let suffix: String
    let bytes: [UInt8]
  }

  init(isNew: Bool) { self.isNew = isNew }

  /// Reads what `write` wrote.
  init(_ reader: inout PacketReader) throws(Fault) {
    isNew = try reader.read(Bool.self)
    invocation = try reader.read(Int.self)
    isComplete = try reader.read(Bool.self)
    for _ in 0..<(try reader.read(Int.self)) {
      journals.append(
        Journal(
          suffix: String(decoding: try reader.readBytes(), as: UTF8.self),
          bytes: try reader.readBytes()))
    }
  }

  /// Adds it to a message.
  func write(to packet: inout Packet) {
    packet.write(isNew)
    packet.write(invocation)
    packet.write(isComplete)
    packet.write(journals.count)
    for journal in journals {
      packet.write(Array(journal.suffix.utf8))
      packet.write(journal.bytes)
    }
  }
}

/// What entering a stage needs to know.
struct StageRules: Sendable {
  /// How long another process that does the same run is waited for.
  var locks: LockRules
  /// Whether what an earlier invocation did is thrown away.
  var startsFresh: Bool
  /// What to do where nothing can be written.
  var wayOut: String?
  /// The part of the work that is done, beside other processes; nil for all of it.
  var part: WorkPart?
}

// Who may work in the stage, and what is left there.

extension Stage {
  /// The name of the lock of a run.
  static let lockName = "lock"
  /// The name of the record of a run.
  static let recordName = "run.json"
  /// A stage that is removed while another process wants to enter is looked for again this often.
  private static let tries = 50

  /// Takes the lock of the run, or of a part of it, and finds out what was done before.
  ///
  /// *Local*, rank 0.
  ///
  /// - Parameters:
  ///   - record: What makes the run; a stage that was made for anything else is thrown away.
  ///   - rules: Who enters and how.
  ///   - isCommitting: Whether an earlier invocation had begun to make visible what is staged.
  ///   - holdsOther: Whether what is staged is not of this run: another result that it took out of
  ///     its place before it was killed. Then everything is made anew.
  /// - Returns: What is there.
  /// - Throws: A fault of kind `locked` when another process keeps working at the run, `permission`
  ///   where nothing can be written.
  func enter(
    _ record: JSONObject, _ rules: StageRules,
    isCommitting: (OutputFolder) throws(Fault) -> Bool, holdsOther: () throws(Fault) -> Bool
  ) throws(Fault) -> StageEntry {
    do {
      return try enterWaiting(record, rules, isCommitting, holdsOther)
    } catch {
      var fault = error
      if error.kind == .permission { fault.hint = rules.wayOut ?? error.hint }
      throw fault
    }
  }

  private func enterWaiting(
    _ record: JSONObject, _ rules: StageRules,
    _ isCommitting: (OutputFolder) throws(Fault) -> Bool, _ holdsOther: () throws(Fault) -> Bool
  ) throws(Fault) -> StageEntry {
    let wait = LockWait(rules.locks.patience)
    var tries = 0
    while tries < Stage.tries {
      tries += 1
      let isNew: Bool
      do {
        isNew = try lockStage(rules)
      } catch {
        // Another process finished the run and removed the stage.
        if error.kind == .missing { continue }
        // Its holder may have gone meanwhile, and have left the folder to those who wait.
        if error.kind == .locked { removeFolders() }
        throw error
      }
      do {
        if !isNew, try isCommitting(try root()) {
          expectMore()
          var entry = StageEntry(isNew: false)
          entry.isComplete = true
          return entry
        }
        let entry = try settle(isNew, record, rules, holdsOther)
        guard let part = rules.part else { return entry }
        if try claim(part, entry.invocation, rules.locks) { return entry }
      } catch {
        unlock()
        throw error
      }
      // Another process has the part; the lock of the run must not be held while it is waited for.
      unlock()
      tries = 0
      if wait.isOver {
        throw Fault(
          .locked, path, "another process is at work at part \(rules.part?.description ?? "")",
          hint: "wait until it has ended, or raise `--lock-wait`")
      }
      try rules.locks.check()
      wait.pause()
    }
    throw Fault(.locked, path, "other processes keep removing it", hint: "run the command again")
  }

  /// Makes the stage where there is none, and takes its lock.
  ///
  /// - Returns: Whether there was none.
  private func lockStage(_ rules: StageRules) throws(Fault) -> Bool {
    let (stage, isNew) = try holder.makeFolder(folder).makeFolderTellingNew(runID)
    let lock = try FileLock.acquire(
      Stage.lockName, in: stage, holder: rules.locks.holder, patience: rules.locks.patience,
      onBreak: rules.locks.warn, whileWaiting: rules.locks.check)
    open(stage)
    take(lock)
    return isNew
  }

  private func settle(
    _ isNew: Bool, _ record: JSONObject, _ rules: StageRules,
    _ holdsOther: () throws(Fault) -> Bool
  ) throws(Fault) -> StageEntry {
    let stage = try root()
    // Another process may have been here between the making of the folder and the lock.
    let isNew = isNew ? try stage.kind(of: Stage.recordName) == nil : false
    var entry = StageEntry(isNew: isNew)
    if !isNew {
      if let part = rules.part {
        try checkCut(part, in: stage)
      } else {
        try waitForParts(stage, rules.locks)
      }
      let known = try? stage.read(Stage.recordName, limit: JSON.maximumBytes)
      if !rules.startsFresh && isSame(known, record) {
        let isForeign = try holdsOther()
        if !isForeign { try collect(stage, &entry) }
      }
    }
    begin(invocation: entry.invocation)
    if entry.journals.isEmpty {
      if !isNew {
        // A part that is at work has a journal, so this is another run's stage, or a broken one.
        if rules.part != nil { try Stage.waitForParts(in: stage, patience: 0) }
        try empty(stage)
      }
      try stage.write(
        Stage.recordName, JSON.object(record).bytes(indent: 2), durable: durability != .none)
    } else {
      expectMore()
      // Other parts have theirs.
      if rules.part == nil { try removeTemporaries(try out()) }
    }
    return entry
  }

  private func waitForParts(_ stage: OutputFolder, _ rules: LockRules) throws(Fault) {
    try Stage.waitForParts(
      in: stage, holder: rules.holder, patience: rules.patience, warn: rules.warn,
      whileWaiting: rules.check)
  }

  /// Takes the lock of a part, makes its journal, and gives the lock of the run back.
  ///
  /// - Returns: Whether the part was free.
  private func claim(
    _ part: WorkPart, _ invocation: Int, _ rules: LockRules
  ) throws(Fault) -> Bool {
    let stage = try root()
    let lock: FileLock
    do {
      lock = try FileLock.acquire(
        Stage.lockName(of: part), in: stage, holder: rules.holder, patience: 0,
        onBreak: rules.warn, whileWaiting: rules.check)
    } catch {
      if error.kind == .locked { return false }
      throw error
    }
    // While no other process enters, so that each has a number of its own.
    let suffix = JournalFiles.suffix(invocation, rank)
    _ = try stage.append(to: JournalFiles.journal + suffix)
    expectMore()
    exchangeLock(for: lock)
    return true
  }

  /// Whether a record says the same as another one, but for what only describes the run.
  private func isSame(_ known: [UInt8]?, _ record: JSONObject) -> Bool {
    guard let known, let json = try? JSON(parsing: known, subject: Stage.recordName),
      var object = json.objectValue
    else { return false }
    var wanted = record
    object["omtask"] = nil
    wanted["omtask"] = nil
    return JSON.object(object).bytes() == JSON.object(wanted).bytes()
  }

  private func collect(_ stage: OutputFolder, _ entry: inout StageEntry) throws(Fault) {
    for name in try stage.list() {
      guard let invocation = JournalFiles.invocation(of: name) else { continue }
      entry.invocation = max(entry.invocation, invocation + 1)
    }
    entry.journals = try journals(in: stage)
  }

  /// The journals in a stage, the latest last.
  func journals(in stage: OutputFolder) throws(Fault) -> [StageEntry.Journal] {
    var journals: [StageEntry.Journal] = []
    for name in try stage.list() where name.hasPrefix(JournalFiles.journal) {
      guard JournalFiles.invocation(of: name) != nil else { continue }
      let suffix = String(name.dropFirst(JournalFiles.journal.count))
      // A journal that cannot be read is one that does not help.
      if let bytes = try? stage.read(name, limit: JournalFiles.largest) {
        journals.append(StageEntry.Journal(suffix: suffix, bytes: bytes))
      }
    }
    // By invocation as a number, so that a later word counts.
    return journals.sorted {
      let names = ($0.suffix, $1.suffix)
      return JournalFiles.invocation(of: JournalFiles.journal + names.0) ?? 0
        < JournalFiles.invocation(of: JournalFiles.journal + names.1) ?? 0
    }
  }

  /// Removes everything but the lock.
  ///
  /// Journals go first: what is left of staged files must not be taken for what they say.
  private func empty(_ stage: OutputFolder) throws(Fault) {
    closeFolders()
    let names = try stage.list().filter { !$0.hasPrefix(Stage.lockName) }
    for name in names where JournalFiles.invocation(of: name) != nil { try stage.removeTree(name) }
    for name in names where JournalFiles.invocation(of: name) == nil { try stage.removeTree(name) }
  }

  /// Removes what killed processes left half written.
  private func removeTemporaries(_ folder: OutputFolder) throws(Fault) {
    for name in try folder.list() {
      if name.hasPrefix("."), name.hasSuffix(".tmp") {
        try folder.removeTree(name)
      } else if try folder.kind(of: name) == .folder {
        try removeTemporaries(try folder.folder(name))
      }
    }
  }
}

// MARK: - Leaving

extension Stage {
  /// Whether there is a folder of stages.
  var hasSiblings: Bool { (try? holder.kind(of: folder)) == .some(.folder) }

  /// Whether there is a stage of this run.
  var exists: Bool { (try? holder.kind(of: "\(folder)/\(runID)")) == .some(.folder) }

  /// Removes the stage and gives the lock back; the folder of all stages goes when it is empty.
  ///
  /// A process that waits for the lock meanwhile removes the rest.
  func remove() throws(Fault) {
    closeFolders()
    do {
      let stage = try root()
      if holdsMore {
        try empty(stage)
      } else {
        // By name where that is enough: there may be thousands of images.
        for name in ["out", Stage.recordName] { try stage.removeTree(name) }
      }
    } catch {
      unlock()
      throw error
    }
    unlock()
    removeFolders()
  }

  /// Removes the stage of a run whose results are in their place: what cannot be removed takes nothing
  /// from them.
  func remove(orWarn warn: (String) -> Void) {
    do {
      try remove()
    } catch {
      warn("the result is in its place, but something is left in `\(path)`: \(error.description)")
    }
  }

  /// Removes the folder of the stage, and that of all stages, when nothing is in them.
  ///
  /// Who waited for the lock and was killed has left a file beside it.
  func removeFolders() {
    guard let stages = try? holder.folder(folder) else { return }
    try? stages.removeIfEmpty(runID)
    if let stage = try? stages.folder(runID) {
      try? FileLock.sweep(Stage.lockName, in: stage)
      try? stages.removeIfEmpty(runID)
    }
    try? holder.removeIfEmpty(folder)
    if hasSiblings {
      for lock in CommitLock.all { try? FileLock.sweep(lock.name, in: stages) }
      try? holder.removeIfEmpty(folder)
    }
  }

  /// Ends a run that failed: keeps what the same command can go on from.
  ///
  /// - Parameter keeps: Whether the same command may succeed later.
  /// - Returns: Whether something is kept.
  func leave(keeps: Bool) -> Bool {
    let names = (try? root().list()) ?? []
    if keeps
      && names.contains(where: {
        $0.hasPrefix(JournalFiles.journal) || $0 == LevelsRecord.name
      })
    {
      unlock()
      return true
    }
    try? remove()
    return false
  }
}

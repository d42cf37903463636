package import OMJSON
package import OMStore

/// An unfinished run, as its stage shows it to somebody else.
package struct StageSummary: Sendable {
  /// The id of the run.
  package let runID: String
  /// The folder of the stage.
  package let path: String
  /// The task; nil when the record of the run cannot be read.
  package let task: String?
  /// The image that is read.
  package let image: String?
  /// Where the results will be.
  package let results: [String]
  /// The parameters that count.
  package let parameters: JSON?
  /// Regions of all passes that are done.
  package let done: Int
  /// Regions of all passes; 0 when not known.
  package let total: Int
  /// How often the run was begun.
  package let invocations: Int
  /// When its latest invocation began, in milliseconds since 1970; nil when it noted nothing yet.
  package let started: Int?
  /// Regions that the latest invocation did.
  package let doneSinceStart: Int
  /// When something was noted last, in nanoseconds since 1970 by the clock of the file server.
  package let lastNote: Int?
  /// Who works at it, or did; nil when nobody does.
  package let lock: LockState?
  /// Bytes of all its files.
  package let byteCount: Int

  /// Reads the stage of a run.
  ///
  /// *Local*; nothing is written.
  ///
  /// - Parameters:
  ///   - stages: The folder of all stages: `.omtask` in an image, `.<name>.omtask` beside an output.
  ///   - runID: The run.
  /// - Returns: What the stage shows.
  /// - Throws: What the disk throws; a stage that vanishes meanwhile is of kind `missing`.
  package static func read(_ stages: OutputFolder, _ runID: String) throws(Fault) -> StageSummary {
    let stage = try stages.folder(runID)
    let record =
      (try? stage.read(Stage.recordName, limit: JSON.maximumBytes)).flatMap(\.self).flatMap {
        try? JSON(parsing: $0, subject: Stage.recordName)
      }
    var progress = StageProgress()
    for name in try stage.list() where name.hasPrefix(JournalFiles.journal) {
      guard let bytes = try? stage.read(name, limit: JournalFiles.largest) else { continue }
      progress.add(JournalForm.records(in: bytes), time: (try? stage.stamp(name))??.modified)
    }
    let ours = record?["omtask"]
    // Anybody may have changed the record, so that nothing in it is too odd to be multiplied.
    let regions = min(max(ours?["regions"]?.intValue ?? 0, 0), 1 << 32)
    // Programs that do images by themselves keep no journal, but records of what is done.
    let items = (try? stages.folder(ProgramRecord.itemsName(runID)).list()) ?? []
    let hasList = try stages.kind(of: ProgramRecord.callName(runID)) == .file
    let records = items.count { $0.hasSuffix(".json") } + (hasList ? 1 : 0)
    return StageSummary(
      runID: runID, path: stage.path, task: record?["task"]?.stringValue,
      image: ours?["image"]?.stringValue,
      results: ours?["results"]?.arrayValue?.compactMap(\.stringValue) ?? [],
      parameters: record?["parameters"], done: progress.done.count + records,
      total: regions * (ours?["passes"]?.arrayValue?.count ?? 0),
      invocations: progress.invocations, started: progress.started,
      doneSinceStart: progress.doneSinceStart, lastNote: progress.lastNote,
      lock: try lock(of: stage), byteCount: byteCount(stage))
  }

  /// Who works at a run: the holder of its lock, or of the lock of a part.
  private static func lock(of stage: OutputFolder) throws(Fault) -> LockState? {
    var found = try FileLock.look(Stage.lockName, in: stage)
    for name in try stage.list() where Stage.part(ofLock: name) != nil {
      if let known = found, !known.isStale { break }
      found = try FileLock.look(name, in: stage) ?? found
    }
    return found
  }

  /// Bytes of all files below a folder; links are not followed.
  private static func byteCount(_ folder: OutputFolder) -> Int {
    var sum = 0
    for name in (try? folder.list()) ?? [] {
      switch try? folder.kind(of: name) {
      case .folder: sum += (try? folder.folder(name)).map(byteCount) ?? 0
      case .file: sum += (try? folder.stamp(name))??.size ?? 0
      default: break
      }
    }
    return sum
  }
}

/// What the journals of a stage add up to.
private struct StageProgress {
  /// Pieces of work by pass; those that two invocations did count once.
  var done: Set<WorkPlace> = []
  var invocations = 0
  var started: Int?
  var doneSinceStart = 0
  var lastNote: Int?
  private var latest = -1

  mutating func add(_ records: [JournalRecord], time: Int?) {
    var pieces = 0
    var invocation = 0
    var began: Int?
    for record in records {
      switch record {
      case .begin(let begin): (invocation, began) = (begin.invocation, begin.started)
      case .partial(let work, _), .piece(let work, _):
        done.insert(work)
        pieces += 1
      case .unit, .lost, .damage, .part, .complete: break
      }
    }
    invocations = max(invocations, invocation + 1)
    if let time { lastNote = max(lastNote ?? time, time) }
    if invocation > latest { (latest, started, doneSinceStart) = (invocation, began, 0) }
    if invocation == latest {
      doneSinceStart += pieces
      if let began { started = min(started ?? began, began) }
    }
  }
}

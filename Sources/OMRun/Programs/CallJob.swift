import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask

/// Lets the program of a task work that is started once for all images, and keeps the record of it.
///
/// *Local*: it is done by one worker of rank 0, which holds the locks.
struct CallJob: Sendable {
  let request: RunRequest
  let identity: ProgramIdentity
  let task: any WholeImageTask
  let type: TaskType
  let call: ProgramCall
  let rules: AnswerRules

  /// The folder of all runs in the folder that new images go into.
  static let folder = ImageCommitter.folder
  private static let before = "before.jsonl"

  private var runID: String { identity.runID }

  /// Takes the locks of the run and of the images' places.
  func open(_ warn: @escaping @Sendable (String) -> Void) throws(Fault) -> ProgramStage {
    do throws(Fault) {
      return try ProgramStage(
        in: call.folder, Self.folder, runID: runID, images: call.places,
        request.lockRules(.thisProcess(), warn), request.options.durability)
    } catch {
      var fault = error
      if fault.kind == .permission, let hint = fault.hint {
        fault.hint = "\(hint); `--output DIR` names another folder for new images"
      }
      throw fault
    }
  }

  /// The record of the run as it was written; empty when there is none.
  func recorded() -> [UInt8] {
    guard let home = try? OutputFolder(path: joinedKey(call.folder, Self.folder)) else { return [] }
    return (try? home.read(ProgramRecord.callName(runID), limit: CallRecord.limit)) ?? []
  }

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - worker: Who waits for it.
  ///   - stage: The folder of the run.
  ///   - now: How the images are.
  /// - Returns: What is to be kept of it.
  /// - Throws: Why it failed.
  func run(
    _ worker: Worker, _ stage: ProgramStage, _ now: [String: ImageState]
  ) throws(Fault) -> CallRecord {
    if !request.options.fresh { try refuseHalfChanged(stage, now) }
    // From here on a kill leaves a run that is not done.
    try forget(stage.home)
    for name in try stage.root.list() where StageFolder.isRunID(name) {
      try stage.root.removeTree(name)
    }
    let inputs = now.filter { rules.images.contains($0.key) }
    try stage.root.write(Self.before, CallRecord(inputs: inputs).bytes(identity.document))
    try note(stage, items: 0)
    var start = request.call(
      .whole, call.reserved, rooms: call.rooms, folder: stage.root.path, worker
    ) { changed(since: inputs).map { .halfChanged($0, by: request.manifest.identifier) } }
    start.wantsList = type.hasList
    var outcome = task.run(start)
    do throws(Fault) {
      var record = CallRecord(inputs: inputs)
      let answer = try outcome.answer.get()
      if type.hasList {
        record.items = answer.items
        record.places = Set(answer.items.compactMap { ProgramCall.existing(on: $0.url) }).sorted()
      } else {
        record.answer = try rules.checked(answer, program: request.manifest.identifier)
      }
      _ = try stage.home.keep(log: outcome.log, ProgramRecord.logName(runID))
      return record
    } catch {
      if outcome.wasStopped { throw request.options.stop.fault }
      var fault = error
      if changed(since: inputs) == nil { try? stage.root.removeTree(Self.before) }
      outcome.log += Array("omtask: \(fault.message)\n".utf8)
      if let log = try? stage.root.keep(log: outcome.log, "log.txt") {
        fault.facts.append("its log is \(log)")
      }
      throw fault
    }
  }

  /// Keeps what is known of the run.
  func write(_ record: CallRecord, _ stage: ProgramStage) throws(Fault) {
    try stage.write(ProgramRecord.callName(runID), record.bytes(identity.document))
    try stage.root.removeTree(Self.before)
    try note(stage, items: record.items.count)
  }

  /// What the run printed and told, for the report.
  func report(_ status: ImageReport.Status, _ record: CallRecord) -> ImageReport {
    var report = ImageReport(uri: call.folder, status: status)
    report.answer = record.answer
    if let home = try? OutputFolder(path: joinedKey(call.folder, Self.folder)) {
      report.log = home.file(ProgramRecord.logName(runID))
    }
    for (url, after) in (record.states ?? [:]).sorted(by: { $0.key < $1.key })
    where !type.hasList {
      guard let before = record.inputs[url] else { continue }
      report.outputs += OutputReport.all(in: url, made: after.made(since: before), images: [])
    }
    let told = record.answer.updates.compactMap { $0["zarr_url"]?.stringValue }
    report.outputs += OutputReport.all(
      in: call.folder, made: [], images: told.filter { !rules.images.contains($0) })
    return report
  }

  /// Forgets what an earlier invocation did.
  private func forget(_ home: OutputFolder) throws(Fault) {
    for name in [
      ProgramRecord.callName(runID), ProgramRecord.logName(runID), ProgramRecord.itemsName(runID),
    ] { try home.removeTree(name) }
  }

  private func note(_ stage: ProgramStage, items: Int) throws(Fault) {
    var note = identity.document
    note["omtask"] = [
      "image": .string(call.folder), "results": [], "regions": JSON(items + 1),
      "passes": [.string(ImagePass.program.rawValue)],
    ]
    try stage.note(note)
  }

  /// Refuses images whose voxels were changed by a program that did not come to its end.
  private func refuseHalfChanged(
    _ stage: ProgramStage, _ now: [String: ImageState]
  ) throws(Fault) {
    let name = request.manifest.identifier
    if let bytes = try stage.root.read(Self.before, limit: CallRecord.limit),
      let earlier = CallRecord(bytes),
      let url = earlier.inputs.keys.sorted().first(where: {
        !(now[$0] ?? .absent).hasVoxels(of: earlier.inputs[$0] ?? .absent)
      })
    {
      throw Fault.halfChanged(url, by: name)
    }
    for id in try stage.root.list() where StageFolder.isRunID(id) {
      guard let bytes = try stage.root.read("\(id)/\(Stage.recordName)", limit: JSON.maximumBytes),
        let note = try? JSON(parsing: bytes, subject: id), note["untouched"] != true,
        let url = note["item"]?["zarr_url"]?.stringValue, let before = ImageState(note["before"])
      else { continue }
      if !(now[url] ?? .absent).hasVoxels(of: before) { throw Fault.halfChanged(url, by: name) }
    }
  }

  /// An image of the call whose voxels are not what they were.
  private func changed(since inputs: [String: ImageState]) -> String? {
    inputs.keys.sorted().first { url in
      let now = ((try? ImageState(at: url)) ?? nil) ?? .absent
      return !now.hasVoxels(of: inputs[url] ?? .absent)
    }
  }
}

import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask

/// Lets a program do one item of the list that another program has made, and keeps the record of it.
///
/// *Local*: an item belongs to one worker of one rank. Items of one image may be at work at the same time.
struct ItemJob: Sendable {
  let request: RunRequest
  let identity: ProgramIdentity
  let task: any WholeImageTask
  let call: ProgramCall
  let rules: AnswerRules
  let item: WorkItem
  /// The folder of all runs.
  let home: OutputFolder

  private var items: String { ProgramRecord.itemsName(identity.runID) }
  private var id: String {
    String(hexadecimal(sha256(JSON.object(item.document).bytes())).prefix(16))
  }
  private var isInput: Bool { rules.images.contains(item.url) }

  // MARK: - Records

  /// The report and the record of an item that is done; nil for one that is to be done.
  func finished() -> (report: ImageReport, record: ProgramRecord)? {
    let name = "\(items)/\(ProgramRecord.name(id))"
    guard let bytes = try? home.read(name, limit: JSON.maximumBytes),
      let record = ProgramRecord(bytes, image: item.url)
    else { return nil }
    let log = home.file("\(items)/\(ProgramRecord.logName(id))")
    return (report(.skipped, record, log: log), record)
  }

  /// Whether the program was started for the item and did not come to its end.
  var isBegun: Bool { note("\(identity.runID)/\(id)") != nil }

  /// Forgets that the item is done.
  func forget() throws(Fault) {
    for name in [ProgramRecord.name(id), ProgramRecord.logName(id)] {
      try home.removeTree("\(items)/\(name)")
    }
  }

  // MARK: - Work

  /// Does the item.
  ///
  /// - Parameter worker: Who waits for the program.
  /// - Returns: What became of it.
  /// - Throws: Why it failed; what the program did is as it left it.
  func run(_ worker: Worker) throws(Fault) -> ImageReport {
    let stop = request.options.stop
    let name = request.manifest.identifier
    let key = "\(identity.runID)/\(id)"
    let before = state
    if isInput, !request.options.fresh, let earlier = note(key), earlier["untouched"] != true,
      let then = ImageState(earlier["before"]), !before.hasVoxels(of: then)
    {
      throw Fault.halfChanged(item.url, by: name)
    }
    let folder = try home.makeFolder(key)
    var note: JSONObject = ["item": .object(item.document)]
    if isInput { note["before"] = before.json }
    try write(note, folder)
    let call = request.call(
      .each, item.document, rooms: call.rooms, folder: folder.path, worker
    ) { isInput && !state.hasVoxels(of: before) ? .halfChanged(item.url, by: name) : nil }
    var outcome = task.run(call)
    do throws(Fault) {
      let answer = try rules.checked(outcome.answer.get(), program: name)
      let after = state
      let record = ProgramRecord(
        state: after, others: [:], made: after.made(since: before), answer: answer)
      let kept = try home.makeFolder(items)
      let log = try kept.keep(log: outcome.log, ProgramRecord.logName(id))
      let document = record.document(
        identity, image: item.url, attempts: outcome.attempts, item: item)
      try kept.write(
        ProgramRecord.name(id), document.bytes(indent: 2),
        durable: request.options.durability != .none)
      try home.removeTree(key)
      return report(.done, record, log: log)
    } catch {
      if outcome.wasStopped { throw stop.fault }
      var fault = error
      if isInput && state.hasVoxels(of: before) {
        note["untouched"] = true
        try? write(note, folder)
      }
      fault.facts.append("its `init_args` are \(JSON.object(item.arguments).excerpt)")
      outcome.log += Array("omtask: \(fault.message)\n".utf8)
      if let log = try? folder.keep(log: outcome.log, "log.txt") {
        fault.facts.append("its log is \(log)")
      }
      throw fault
    }
  }

  /// How the image of the item is; while others are at work on it that may not be known.
  private var state: ImageState { ((try? ImageState(at: item.url)) ?? nil) ?? .absent }

  private func note(_ key: String) -> JSONObject? {
    guard let bytes = try? home.read("\(key)/\(Stage.recordName)", limit: JSON.maximumBytes) else {
      return nil
    }
    return try? JSON(parsing: bytes, subject: Stage.recordName).objectValue
  }

  private func write(_ note: JSONObject, _ folder: OutputFolder) throws(Fault) {
    try folder.write(Stage.recordName, JSON.object(note).bytes(indent: 2))
  }

  private func report(
    _ status: ImageReport.Status, _ record: ProgramRecord, log: String?
  ) -> ImageReport {
    var report = ImageReport(uri: item.url, status: status)
    report.answer = record.answer
    report.log = log
    var others = record.answer.updates.compactMap { $0["zarr_url"]?.stringValue }
      .filter { !rules.images.contains($0) }
    if !isInput && !record.made.isEmpty && !others.contains(item.url) { others.append(item.url) }
    report.outputs = OutputReport.all(
      in: item.url, made: isInput ? record.made : [], images: others)
    return report
  }
}

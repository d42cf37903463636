import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask

/// Lets a program do one image, and keeps the record of it.
///
/// *Local*: an image belongs to one worker of one rank.
struct ProgramJob: Sendable {
  let request: RunRequest
  let identity: ProgramIdentity
  let task: any WholeImageTask
  let location: ImageLocation
  /// Hears what happens.
  let tell: @Sendable (RunEvent) -> Void

  private var image: String { location.displayName }
  private var stop: StopSwitch { request.options.stop }

  /// Looks whether there is anything to do.
  ///
  /// - Returns: The report of an image that is done or not meant; nil for one that is to be done.
  /// - Throws: What the disk throws.
  func finished() throws(Fault) -> ImageReport? {
    if location.store.folder == nil {
      throw Fault(
        .unsupported, image, "programs that do whole images need a folder",
        hint: location.store.isRemote
          ? "`omtask run convert \(image) --output FOLDER.zarr` makes one of what a server holds"
          : "`omtask unpack` makes one of an archive")
    }
    if location.field != nil, let image = try? OMEImage.open(location),
      let refusal = ImageSetup.refusal(request.manifest, ImageSetup.types(of: image))
    {
      var report = ImageReport(uri: location.displayName, status: .skipped)
      report.note = refusal
      return report
    }
    if request.options.fresh { return nil }
    let path = try SeparatePath(image)
    guard let home = try? OutputFolder(path: joinedKey(path.parent, path.stages)),
      let record = record(in: home), try record.firstChange(of: image) == nil
    else { return nil }
    return report(.skipped, record, log: log(in: home))
  }

  /// Does the image, unless another process has done it meanwhile.
  ///
  /// - Parameter worker: Who waits for the program.
  /// - Returns: What became of it.
  /// - Throws: Why it failed; what the program did to the image is as it left it.
  func run(_ worker: Worker) throws(Fault) -> ImageReport {
    let stage = try ProgramStage(
      SeparatePath(image), runID: identity.runID,
      request.lockRules(.thisProcess()) { [tell] in tell(.warning($0)) },
      request.options.durability)
    let ending = stop.atForcedEnd { stage.leave() }
    defer { stop.forget(ending) }
    do throws(Fault) {
      if !request.options.fresh, let record = record(in: stage.home),
        try record.firstChange(of: image) == nil
      {
        try stage.remove()
        return report(.skipped, record, log: log(in: stage.home))
      }
      return try run(worker, stage)
    } catch {
      stage.leave()
      throw error
    }
  }

  private func run(_ worker: Worker, _ stage: ProgramStage) throws(Fault) -> ImageReport {
    guard let before = try ImageState(at: image) else {
      throw Fault(.missing, image, "is not there any more")
    }
    var note = identity.document
    note["omtask"] = [
      "image": .string(image), "results": [], "regions": 1,
      "passes": [.string(ImagePass.program.rawValue)],
    ]
    let unfinished = stage.unfinished
    if !request.options.fresh {
      for (_, earlier) in unfinished { if let refusal = refusal(earlier, before) { throw refusal } }
      if let record = record(in: stage.home), record.changedVoxels,
        !before.hasVoxels(of: record.state)
      {
        throw changedTwice()
      }
    }
    note["before"] = before.json
    // From here on a kill leaves an image that is not done.
    for name in [ProgramRecord.name(identity.runID), ProgramRecord.logName(identity.runID)] {
      try stage.home.removeTree(name)
    }
    try stage.note(note)
    let outcome = task.run(call(stage, worker, before))
    switch outcome.answer {
    case .success(let answer):
      for (runID, earlier) in unfinished where runID != identity.runID {
        stage.settle(runID, earlier)
      }
      return try finish(stage, outcome, answer, before)
    case .failure(var fault):
      if outcome.wasStopped { fault = stop.fault }
      if let after = try? ImageState(at: image), after.hasVoxels(of: before) {
        note["untouched"] = true
        try? stage.note(note)
      }
      if !outcome.wasStopped, let log = try? keepLog(outcome.log, stage.root, "log.txt") {
        fault.facts.append("its log is \(log)")
      }
      throw fault
    }
  }

  private func call(
    _ stage: ProgramStage, _ worker: Worker, _ before: ImageState
  ) -> WholeImageCall {
    let stop = stop
    return WholeImageCall(
      image: image, room: room, folder: stage.root.path, worker: worker.number,
      stop: { stop.reason.map { $0.isUrgent ? .atOnce : .inOrder } },
      sign: { worker.scratch.sign() },
      refusal: {
        let now = (try? ImageState(at: image)) ?? nil
        return now.map { $0.hasVoxels(of: before) } == true ? nil : changedItself()
      })
  }

  /// The folder that holds the whole hierarchy of the image: results may lie beside it.
  private var room: String {
    let root = location.store.description
    let parent = root.lastIndex(of: "/").map { String(root[..<$0]) } ?? "."
    return parent.isEmpty ? "/" : parent
  }

  /// Why an image on which the program did not come to its end cannot be given to it again.
  ///
  /// A label or a table that is half there is replaced by the program. But the image itself is what it
  /// reads, and half of it may have been changed.
  private func refusal(_ earlier: JSONObject, _ now: ImageState) -> Fault? {
    if earlier["untouched"] == true { return nil }
    guard let before = ImageState(earlier["before"]), !now.hasVoxels(of: before) else {
      return nil
    }
    return changedItself(earlier["task"]?.stringValue)
  }

  /// Why a task that changes the voxels it reads is not simply done once more.
  private func changedTwice() -> Fault {
    Fault(
      .program, image,
      "\(request.manifest.identifier) has changed the voxels of this image, and they have changed "
        + "again since: it would be done twice",
      hint: "`--fresh` runs the task on the image as it is now")
  }

  private func changedItself(_ task: String? = nil) -> Fault {
    Fault(
      .program, image,
      "the voxels of the image itself have changed since "
        + "\(task ?? request.manifest.identifier) began, which did not come to its end",
      hint: "look whether the image is whole; `--fresh` runs the task on it as it is now")
  }

  private func finish(
    _ stage: ProgramStage, _ outcome: WholeImageOutcome, _ answer: WholeImageAnswer,
    _ before: ImageState
  ) throws(Fault) -> ImageReport {
    var others: [String: ImageState] = [:]
    for url in answer.updates.compactMap({ $0["zarr_url"]?.stringValue }) where url != image {
      // What lies elsewhere than on this disk cannot be looked at.
      if url.hasPrefix("/"), let state = try ImageState(at: url) { others[url] = state }
    }
    // An image that the program removed or replaced by another is no fault of it.
    let after = try ImageState(at: image) ?? before
    let record = ProgramRecord(
      state: after, others: others, made: after.made(since: before), answer: answer)
    let log = try keepLog(outcome.log, stage.home, ProgramRecord.logName(identity.runID))
    try stage.write(
      ProgramRecord.name(identity.runID),
      record.document(identity, image: image, attempts: outcome.attempts).bytes(indent: 2))
    do {
      try stage.remove()
    } catch {
      tell(.warning("\(image) is done, but something is left beside it: \(error.description)"))
    }
    return report(.done, record, log: log)
  }

  // MARK: - Records

  private func record(in home: OutputFolder) -> ProgramRecord? {
    let name = ProgramRecord.name(identity.runID)
    guard let bytes = try? home.read(name, limit: JSON.maximumBytes) else { return nil }
    return ProgramRecord(bytes, image: image)
  }

  /// Keeps what a program printed.
  ///
  /// - Returns: The path; nil when there is nothing.
  private func keepLog(
    _ bytes: [UInt8], _ folder: OutputFolder, _ name: String
  ) throws(Fault) -> String? {
    if bytes.isEmpty { return nil }
    try folder.write(name, bytes)
    return joinedKey(folder.path, name)
  }

  private func log(in home: OutputFolder) -> String? {
    let name = ProgramRecord.logName(identity.runID)
    return (try? home.kind(of: name)) == .some(.file) ? joinedKey(home.path, name) : nil
  }

  private func report(
    _ status: ImageReport.Status, _ record: ProgramRecord, log: String?
  ) -> ImageReport {
    var report = ImageReport(uri: image, status: status)
    report.answer = record.answer
    report.log = log
    for part in record.made {
      for (shelf, kind) in [(Shelf.labels, OutputReport.Kind.label), (.tables, .table)]
      where part.hasPrefix(shelf.name + "/") {
        report.outputs.append(
          OutputReport(
            name: String(part.dropFirst(shelf.name.count + 1)), uri: "\(image)/\(part)",
            kind: kind, dataType: nil))
      }
    }
    for url in record.answer.updates.compactMap({ $0["zarr_url"]?.stringValue }) where url != image
    {
      let name = url.split(separator: "/").last.map(String.init) ?? url
      report.outputs.append(OutputReport(name: name, uri: url, kind: .image, dataType: nil))
    }
    return report
  }
}

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
      let refusal = ImageSetup.refusal(request.manifest, ImageSetup.knownTypes(of: image))
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
    let path = try SeparatePath(image)
    let stage = try ProgramStage(
      in: path.parent, path.stages, runID: identity.runID, images: [path],
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
        throw Fault.changedTwice(image, by: request.manifest.identifier)
      }
    }
    note["before"] = before.json
    // From here on a kill leaves an image that is not done.
    for name in [ProgramRecord.name(identity.runID), ProgramRecord.logName(identity.runID)] {
      try stage.home.removeTree(name)
    }
    try stage.note(note)
    let outcome = task.run(call(stage, worker, before))
    do throws(Fault) {
      let answer = try checked(outcome.answer.get())
      for (runID, earlier) in unfinished where runID != identity.runID {
        stage.settle(runID, earlier)
      }
      return try finish(stage, outcome, answer, before)
    } catch {
      var fault = outcome.wasStopped ? stop.fault : error
      if let after = try? ImageState(at: image), after.hasVoxels(of: before) {
        note["untouched"] = true
        try? stage.note(note)
      }
      if !outcome.wasStopped, let log = try? stage.root.keep(log: outcome.log, "log.txt") {
        fault.facts.append("its log is \(log)")
      }
      throw fault
    }
  }

  /// Checks that what the program said agrees with itself and with the disk.
  ///
  /// - Returns: The same, with equal updates told once.
  /// - Throws: A fault of kind `program`: who reads the list would look for images that are not there.
  private func checked(_ answer: WholeImageAnswer) throws(Fault) -> WholeImageAnswer {
    let said = "the out-json of `\(request.manifest.identifier)`"
    var merged = MergedAnswers()
    if let conflict = merged.add(answer) { throw Fault(.program, "", "\(said) \(conflict)") }
    let told = answer.updates.compactMap { $0["zarr_url"]?.stringValue }
    // What lies elsewhere than on this disk cannot be looked at.
    for url in told where url.hasPrefix("/") && ProgramCall.existing(on: url) != url {
      throw Fault(.program, "", "\(said) tells of the image `\(url)`, which is not there")
    }
    if !answer.removals.contains(image), ProgramCall.existing(on: image) != image {
      throw Fault(
        .program, "", "`\(request.manifest.identifier)` has removed the image and does not say so",
        hint: "its out-json lists what it removes in `image_list_removals`")
    }
    return merged.answer
  }

  private func call(
    _ stage: ProgramStage, _ worker: Worker, _ before: ImageState
  ) -> WholeImageCall {
    request.call(
      .each, ["zarr_url": .string(image)], rooms: [location.room], folder: stage.root.path, worker
    ) {
      let now = (try? ImageState(at: image)) ?? nil
      return now.map { $0.hasVoxels(of: before) } == true ? nil : changedItself()
    }
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

  private func changedItself(_ task: String? = nil) -> Fault {
    .halfChanged(image, by: task ?? request.manifest.identifier)
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
    // An image that the program removed, and says so, is no fault of it.
    let after = try ImageState(at: image) ?? before
    let record = ProgramRecord(
      state: after, others: others, made: after.made(since: before), answer: answer)
    let log = try stage.home.keep(log: outcome.log, ProgramRecord.logName(identity.runID))
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

  private func log(in home: OutputFolder) -> String? {
    home.file(ProgramRecord.logName(identity.runID))
  }

  private func report(
    _ status: ImageReport.Status, _ record: ProgramRecord, log: String?
  ) -> ImageReport {
    var report = ImageReport(uri: image, status: status)
    report.answer = record.answer
    report.log = log
    report.outputs = OutputReport.all(
      in: image, made: record.made,
      images: record.answer.updates.compactMap { $0["zarr_url"]?.stringValue }
        .filter { $0 != image })
    return report
  }
}

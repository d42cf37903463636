import OMImage
import OMJSON
import OMStore
import OMTables
import OMTask
import OMZarr

/// Does one image from its metadata to the commit.
///
/// *Collective* over the ranks of the engine.
struct ImageJob: Sendable {
  let request: RunRequest
  let location: ImageLocation
  let engine: any Engine
  let progress: ProgressCounter
  /// The number of the image in the order of work.
  let number: Int
  /// The processes that do it.
  let holder: LockHolder
  /// Hears what happens.
  let tell: @Sendable (RunEvent) -> Void
  /// Sees to it that what was made stays listed.
  let watch: LabelsWatch

  /// Does the image.
  ///
  /// - Parameter preset: Finds the thresholds that hold for all images of the run, if any.
  /// - Returns: What became of it, the same on every rank but for the bytes written.
  /// - Throws: Why the image failed, the same on every rank; nothing of it is visible then.
  func run(preset: (ImageSetup) throws -> [Choices?]) throws -> JobResult {
    let setup = try engine.agree { try ImageSetup(location, request) }
    if setup.plans.isEmpty {
      var report = ImageReport(uri: location.displayName, status: .skipped)
      report.note = setup.note
      return JobResult(report: report)
    }
    let target = try engine.agree { try Target(request, setup) }
    try engine.agree { try checkPart(target) }
    var decision = try decide(setup, target)
    let committer = try engine.agree {
      if engine.rank == 0 && decision.state == .open {
        try OutputRoom(setup.plans).check(room(target))
      }
      return try makeCommitter(target, decision.runID)
    }
    if target.bucket != nil {
      try BucketScratch.checkShared(committer.stage.holder, engine)
    }
    if decision.state == .done {
      if engine.rank == 0 { tidy(setup, target, committer, decision) }
      return skipped(decision)
    }
    try engine.agree { if engine.rank == 0 { try checkNothingMissing(decision, committer) } }
    let preset = try preset(setup)
    let ending = request.options.stop.atForcedEnd { committer.stage.unlock() }
    defer { request.options.stop.forget(ending) }
    if let part = request.options.part, try allPartsAreDone(committer) {
      // Whoever ended the last part did not end the rest.
      return try close(part, .last(partResult(part, setup, "is done")), setup, preset)
    }
    let opening = try open(setup, target, committer, &decision, preset)
    if let part = request.options.part {
      let end = try run(part, setup, target, committer, decision, opening)
      return try close(part, end, setup, preset)
    }
    do {
      if decision.state != .open || opening.entry.isComplete {
        try engine.agree { if engine.rank == 0 { try committer.finish() } }
        return skipped(decision)
      }
      let (made, damage) = try make(setup, committer, decision, opening, preset)
      var report = ImageReport(uri: location.displayName, status: .done)
      report.damage = damage
      report.outputs = setup.names.indices.map { outputReport(setup, target, made, $0) }
      for index in decision.replaced {
        report.outputs[index].replaced = target.warning(ofReplaced: index)
      }
      compare(&report)
      return JobResult(
        report: report, bytesWritten: committer.stage.bytesWritten,
        voxels: setup.plans.reduce(0) { $0 + $1.processedVoxels })
    } catch {
      // Every rank has left the work by now, so nobody writes into the stage any more.
      throw leave(committer, Fault(wrapping: error))
    }
  }

  /// What became of an image, and what it took.
  struct JobResult {
    var report: ImageReport
    /// Bytes that this rank wrote.
    var bytesWritten = 0
    /// Voxels of all ranks.
    var voxels = 0
  }

  /// The result when everything is there already.
  private func skipped(_ decision: Decision) -> JobResult {
    var report = ImageReport(uri: location.displayName, status: .skipped)
    report.outputs = decision.outputs
    compare(&report)
    report.damage = DamageReport(count: decision.filledChunks)
    return JobResult(report: report)
  }

  /// Notes how results differ from what the task declares; rank 0 looks.
  private func compare(_ report: inout ImageReport) {
    if engine.rank != 0 || report.outputs.isEmpty { return }
    report.mismatches = DeclaredOutputs(manifest: request.manifest).mismatches(report)
  }

  private func make(
    _ setup: ImageSetup, _ committer: any Committer, _ decision: Decision, _ opening: Opening,
    _ preset: [Choices?]
  ) throws -> ([MadeImage], DamageReport) {
    let all = Piece.all(of: setup.plans)
    let past = try opening.past.verified(setup, all, committer, engine)
    let pieces = try PieceCosts.shared(all, of: setup.plans, engine)
    let (run, checkpoint) = try engine.agree {
      let checkpoint = try makeCheckpoint(
        setup, past, pieces, committer, opening.entry.invocation)
      let run = try ImageRun(
        request, setup, engine, committer, checkpoint, progress, past.cheapened(pieces),
        preset: preset)
      return (run, checkpoint)
    }
    if !past.isEmpty {
      tell(
        .resume(
          image: location.displayName, done: past.partials.count + past.pieces.count,
          total: run.unitCount))
    }
    progress.begin(image: number, units: run.unitCount)
    let made = try run.run()
    let damage = try DamageReport(setup.damage, location, engine)
    try check(setup.arrays, committer)
    try checkpoint.sync(setup, committer, engine)
    try engine.agree {
      if engine.rank == 0 {
        try committer.stageMetadata(
          documents(setup, made, decision.runID, filledChunks: damage.count))
        try checkpoint.complete()
        try committer.finish()
      }
    }
    return (made, damage)
  }

  /// Sees to it that nothing is made of arrays that were taken away meanwhile.
  ///
  /// - Throws: A fault of kind `locked`; what was made of them is not kept then.
  func check(_ arrays: ReadArrays, _ committer: any Committer) throws {
    do {
      try engine.agree { try arrays.check() }
    } catch {
      if engine.rank == 0 { _ = committer.stage.leave(keeps: false) }
      throw error
    }
  }

  private func documents(
    _ setup: ImageSetup, _ made: [MadeImage], _ runID: String, filledChunks: Int
  ) -> [CommittedImage] {
    let provenance = Provenance(request: request, runID: runID)
    return made.indices.map { index in
      let types = setup.levels.isEmpty ? setup.types : [:]
      let record = provenance.record(made[index], types: types, filledChunks: filledChunks)
      var arrays: [MetadataDocument] = []
      for (place, layout) in made[index].layouts.enumerated() {
        let level = LabelDocuments.levelPath(setup.firstLevel + place)
        var attributes = JSONObject()
        if !setup.levels.isEmpty {
          attributes = setup.levels[index].attributes[place]
          attributes["omtask"] = record
        }
        if setup.version.namesAxesInAttributes, attributes["_ARRAY_DIMENSIONS"] == nil {
          let names = (layout.dimensionNames ?? []).map { $0.map(JSON.string) ?? .null }
          attributes["_ARRAY_DIMENSIONS"] = .array(names)
        }
        arrays += layout.documents(attributes: attributes).map {
          MetadataDocument(key: "\(level)/\($0.name)", json: $0.document)
        }
      }
      let metadata = setup.documents(index, record, made[index].table)
      return CommittedImage(metadata: metadata, arrays: arrays)
    }
  }

  private func outputReport(
    _ setup: ImageSetup, _ target: Target, _ made: [MadeImage], _ index: Int
  ) -> OutputReport {
    var report = OutputReport(
      name: target.names[index], uri: target.uri(index), kind: setup.outputKind,
      dataType: made[index].layouts.first?.dataType)
    report.rows = made[index].table?.rows
    report.plate = setup.newPlate?.path.uri
    if index == 0 { report.notes += setup.levelNotes }
    if let table = setup.roiTable?.name {
      report.notes.append(
        "only voxels in boxes of the ROI table `\(table)` count, "
          + "\(setup.plans[index].processedVoxels) in all")
    }
    if let counted = made[index].counted, counted > 0, let note = setup.derived?.recipe.countedNote
    {
      report.notes.append("\(counted) \(note)")
    }
    guard let label = made[index].label else { return report }
    let plan = setup.labels[index]
    report.objects = label.objects
    report.thresholds = label.thresholds
    report.foregroundShare =
      Double(label.counts.foreground) / Double(max(1, label.counts.processed))
    if let masking = plan.recipe.masking {
      report.notes.append(
        "only voxels in objects of the masking label `\(masking)` count, "
          + "\(label.counts.processed) in all")
    }
    report.notes += label.notes(plan, share: report.foregroundShare)
    return report
  }
}

import OMImage
import OMJSON
import OMStore
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

  /// Does the image.
  ///
  /// - Parameter preset: Finds the thresholds that hold for all images of the run, if any.
  /// - Returns: What became of it, the same on every rank but for the bytes written.
  /// - Throws: Why the image failed, the same on every rank; nothing of it is visible then.
  func run(preset: (ImageSetup) throws -> [Choices?]) throws -> JobResult {
    let setup = try engine.agree { try ImageSetup(location, request) }
    var report = ImageReport(uri: location.displayName, status: .skipped)
    if setup.plans.isEmpty { return JobResult(report: report) }
    let target = try engine.agree { try Target(request, setup) }
    let decision = try decide(setup, target)
    report.outputs = decision.outputs
    report.damage = DamageReport(count: decision.filledChunks)
    if decision.state == .done { return JobResult(report: report) }
    let committer = try engine.agree { try makeCommitter(target, setup, decision.runID) }
    if decision.state == .unlisted {
      try engine.agree { if engine.rank == 0 { try (committer as? ImageCommitter)?.relist() } }
      return JobResult(report: report)
    }
    let (made, damage) = try make(setup, committer, decision, try preset(setup))
    report.status = .done
    report.damage = damage
    report.outputs = setup.plans.indices.map { outputReport(setup, target, made, $0) }
    return JobResult(
      report: report, bytesWritten: committer.bytesWritten,
      voxels: setup.plans.reduce(0) { $0 + $1.processedVoxels })
  }

  /// What became of an image, and what it took.
  struct JobResult {
    var report: ImageReport
    /// Bytes that this rank wrote.
    var bytesWritten = 0
    /// Voxels of all ranks.
    var voxels = 0
  }

  /// What rank 0 decided, known to all ranks.
  private struct Decision {
    var state: Target.State
    var runID: String
    var identity: JSON
    var outputs: [OutputReport]
    /// Damaged chunks behind the results that are there already.
    var filledChunks: Int
  }

  private func decide(_ setup: ImageSetup, _ target: Target) throws -> Decision {
    let found: (RunIdentity, Target.State, [OutputReport], Int)? = try engine.agree {
      if engine.rank != 0 { return nil }
      let identity = try RunIdentity(request, setup.image, setup.plans)
      let (state, records) = try target.look(runID: identity.runID)
      let outputs = setup.plans.indices.map { index in
        var output = OutputReport(
          name: target.names[index], uri: target.uri(index),
          dataType: setup.plans[index].expectedDataType)
        Provenance.report(records[index], into: &output)
        return output
      }
      return (identity, state, outputs, Provenance.filledChunks(records))
    }
    var packet = Packet()
    if let (identity, state, _, _) = found {
      packet.write(state.rawValue)
      packet.write(Array(identity.runID.utf8))
    }
    var reader = PacketReader(try engine.communicator.broadcast(packet.bytes))
    let state = Target.State(rawValue: try reader.read(UInt8.self)) ?? .open
    return Decision(
      state: state, runID: String(decoding: try reader.readBytes(), as: UTF8.self),
      identity: found?.0.document ?? .null, outputs: found?.2 ?? [],
      filledChunks: found?.3 ?? 0)
  }

  private func makeCommitter(
    _ target: Target, _ setup: ImageSetup, _ runID: String
  ) throws(Fault) -> any Committer {
    if let output = target.output {
      return try SeparateCommitter(
        output: output, names: target.names, overwrites: target.overwrites, runID: runID,
        rank: engine.rank)
    }
    return try ImageCommitter(
      setup.image, names: target.names, overwrites: target.overwrites, runID: runID,
      rank: engine.rank)
  }

  private func make(
    _ setup: ImageSetup, _ committer: any Committer, _ decision: Decision, _ preset: [Choices?]
  ) throws -> ([MadeLabel], DamageReport) {
    let pieces = try PieceCosts.shared(Piece.all(of: setup.plans), of: setup.plans, engine)
    let run = try engine.agree {
      try ImageRun(request, setup, engine, committer, progress, pieces, preset: preset)
    }
    progress.begin(image: number, units: run.unitCount)
    do {
      try engine.agree { if engine.rank == 0 { try committer.prepare(decision.identity) } }
      let made = try run.run()
      let damage = try DamageReport(setup.damage, location, engine)
      try engine.agree {
        if engine.rank == 0 {
          try committer.commit(
            documents(setup, made, decision.runID, filledChunks: damage.count))
        }
      }
      return (made, damage)
    } catch {
      // Every rank has left the work by now, so nobody writes into the stage any more.
      if engine.rank == 0 { committer.discard() }
      throw error
    }
  }

  private func documents(
    _ setup: ImageSetup, _ made: [MadeLabel], _ runID: String, filledChunks: Int
  ) -> [CommittedLabel] {
    let provenance = Provenance(request: request, runID: runID)
    return zip(setup.plans, made).map { plan, made in
      let metadata = LabelDocuments(
        image: setup.image, version: setup.image.version, name: plan.name,
        firstLevel: plan.recipe.level, levelCount: made.layouts.count,
        keepsChannelAxis: plan.recipe.keepsChannelAxis,
        pyramid: plan.recipe.downsampling.description,
        record: provenance.record(made, filledChunks: filledChunks))
      var arrays: [MetadataDocument] = []
      for (level, layout) in made.layouts.enumerated() {
        arrays += layout.documents(attributes: [:]).map {
          MetadataDocument(key: "\(LabelDocuments.levelPath(level))/\($0.name)", json: $0.document)
        }
      }
      return CommittedLabel(metadata: metadata, arrays: arrays)
    }
  }

  private func outputReport(
    _ setup: ImageSetup, _ target: Target, _ made: [MadeLabel], _ index: Int
  ) -> OutputReport {
    let plan = setup.plans[index]
    let label = made[index]
    var report = OutputReport(
      name: target.names[index], uri: target.uri(index),
      dataType: label.layouts[0].dataType)
    report.objects = label.objects
    report.thresholds = label.thresholds
    report.foregroundShare = Double(label.foreground) / Double(max(1, plan.processedVoxels))
    report.notes = label.notes(plan, share: report.foregroundShare)
    return report
  }
}

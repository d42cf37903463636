import Glibc
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
  /// The processes that do it.
  let holder: LockHolder
  /// Hears what a person should know.
  let warn: @Sendable (String) -> Void
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
      return JobResult(report: ImageReport(uri: location.displayName, status: .skipped))
    }
    let target = try engine.agree { try Target(request, setup) }
    var decision = try decide(setup, target)
    let committer = try engine.agree {
      if engine.rank == 0 && decision.state == .open {
        try OutputRoom(setup.plans).check(target.output?.parent ?? location.displayName)
      }
      return try makeCommitter(target, decision.runID)
    }
    if decision.state == .done {
      if engine.rank == 0 { committer.stage.removeLeftOver() }
      return skipped(decision)
    }
    let preset = try preset(setup)
    let opening = try open(setup, target, committer, &decision, preset)
    do {
      if decision.state == .done {
        try engine.agree { if engine.rank == 0 { try committer.stage.remove() } }
        return skipped(decision)
      }
      if decision.state == .unlisted || opening.past.isComplete {
        try engine.agree { if engine.rank == 0 { try committer.finish() } }
        return skipped(decision)
      }
      let (made, damage) = try make(setup, committer, decision, opening, preset)
      var report = ImageReport(uri: location.displayName, status: .done)
      report.damage = damage
      report.outputs = setup.plans.indices.map { outputReport(setup, target, made, $0) }
      return JobResult(
        report: report, bytesWritten: committer.stage.bytesWritten,
        voxels: setup.plans.reduce(0) { $0 + $1.processedVoxels })
    } catch {
      // Every rank has left the work by now, so nobody writes into the stage any more.
      throw leave(committer, Fault(wrapping: error))
    }
  }

  /// The result when everything is there already.
  private func skipped(_ decision: Decision) -> JobResult {
    var report = ImageReport(uri: location.displayName, status: .skipped)
    report.outputs = decision.outputs
    report.damage = DamageReport(count: decision.filledChunks)
    return JobResult(report: report)
  }

  /// Gives the stage up, or keeps it where the same command can go on.
  private func leave(_ committer: any Committer, _ fault: Fault) -> Fault {
    guard engine.rank == 0 else { return fault }
    if !fault.kind.mayPass { committer.restore() }
    guard committer.stage.leave(keeps: fault.kind.mayPass) else { return fault }
    var fault = fault
    fault.facts.append(
      "what is done is kept in `\(committer.stage.path)`; the same command goes on from there")
    return fault
  }

  /// What became of an image, and what it took.
  struct JobResult {
    var report: ImageReport
    /// Bytes that this rank wrote.
    var bytesWritten = 0
    /// Voxels of all ranks.
    var voxels = 0
  }

  /// What rank 0 decided; state and id are known to all ranks.
  private struct Decision {
    var state: Target.State
    var runID: String
    var identity: JSONObject
    var outputs: [OutputReport] = []
    /// Damaged chunks behind the results that are there already.
    var filledChunks = 0
  }

  private func decide(_ setup: ImageSetup, _ target: Target) throws -> Decision {
    let found: Decision? = try engine.agree {
      if engine.rank != 0 { return nil }
      let identity = try RunIdentity(request, setup.image, setup.plans)
      var decision = Decision(state: .open, runID: identity.runID, identity: identity.document)
      try look(setup, target, &decision)
      return decision
    }
    var packet = Packet()
    if let found {
      packet.write(found.state.rawValue)
      packet.write(Array(found.runID.utf8))
    }
    var reader = PacketReader(try engine.communicator.broadcast(packet.bytes))
    let state = Target.State(rawValue: try reader.read(UInt8.self)) ?? .open
    let runID = String(decoding: try reader.readBytes(), as: UTF8.self)
    return found ?? Decision(state: state, runID: runID, identity: JSONObject())
  }

  /// Looks at what is there already; *local*, rank 0.
  private func look(
    _ setup: ImageSetup, _ target: Target, _ decision: inout Decision
  ) throws(Fault) {
    let (state, records) = try target.look(runID: decision.runID)
    decision.state = state
    decision.filledChunks = Provenance.filledChunks(records)
    decision.outputs = setup.plans.indices.map { index in
      var output = OutputReport(
        name: target.names[index], uri: target.uri(index),
        dataType: setup.plans[index].expectedDataType)
      Provenance.report(records[index], into: &output)
      return output
    }
  }

  private func makeCommitter(
    _ target: Target, _ runID: String
  ) throws(Fault) -> any Committer {
    let durability = request.options.durability
    if let output = target.output {
      return try SeparateCommitter(
        output, target, runID: runID, rank: engine.rank, durability: durability)
    }
    return try ImageCommitter(
      target, runID: runID, rank: engine.rank, durability: durability,
      request.lockRules(holder, warn), watch)
  }

  /// Takes the lock of the run, looks again at what is there, and reads what earlier invocations did.
  private func open(
    _ setup: ImageSetup, _ target: Target, _ committer: any Committer,
    _ decision: inout Decision, _ preset: [Choices?]
  ) throws -> Opening {
    let before = decision
    let entered: (Decision, StageEntry)? = try engine.agree {
      if engine.rank != 0 { return nil }
      var now = before
      let entry = try committer.stage.enter(
        StageRecord.make(request, setup, target, now.identity, preset),
        StageRules(
          holder: holder, patience: request.options.lockWait,
          startsFresh: request.options.fresh, warn: warn,
          wayOut: target.output == nil
            ? "the image cannot be written to; `--output URI` puts the result elsewhere" : nil))
      if now.state == .unlisted { committer.stage.expectMore() }
      do {
        // While this process waited for the lock, another one may have finished.
        if !entry.isNew { try look(setup, target, &now) }
      } catch {
        _ = committer.stage.leave(keeps: true)
        throw error
      }
      return (now, entry)
    }
    var packet = Packet()
    if let (now, entry) = entered {
      packet.write(now.state.rawValue)
      entry.write(to: &packet)
    }
    var reader = PacketReader(try engine.communicator.broadcast(packet.bytes))
    decision.state = Target.State(rawValue: try reader.read(UInt8.self)) ?? .open
    if let (now, _) = entered { decision = now }
    let entry = try StageEntry(&reader)
    committer.stage.begin(invocation: entry.invocation)
    return Opening(entry: entry, past: PastWork(entry.journals))
  }

  /// How the run found its stage.
  private struct Opening {
    let entry: StageEntry
    let past: PastWork
  }

  private func makeCheckpoint(
    _ setup: ImageSetup, _ past: PastWork, _ pieces: [Piece], _ committer: any Committer,
    _ invocation: Int
  ) throws(Fault) -> Checkpoint {
    var writer: JournalWriter?
    // A single piece is in hand or done: there is nothing to note.
    if pieces.count > 1 {
      committer.stage.expectMore()
      let begin = JournalBegin(
        invocation: invocation, rank: engine.rank, ranks: engine.rankCount,
        started: milliseconds(), host: holder.host)
      writer = JournalWriter(
        try committer.stage.root(), begin, isDurable: request.options.durability == .shard)
    }
    if let log = setup.damage, engine.rank == 0 {
      for bytes in past.damage {
        if let content = try? DamageLog.Content(unpacking: bytes) { try log.add(content) }
      }
    }
    return Checkpoint(
      past: past, answersFor: past.share(of: engine.rank, of: engine.rankCount),
      stage: committer.stage, writer: writer, damage: setup.damage)
  }

  private func make(
    _ setup: ImageSetup, _ committer: any Committer, _ decision: Decision, _ opening: Opening,
    _ preset: [Choices?]
  ) throws -> ([MadeLabel], DamageReport) {
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
    progress.begin(image: number, units: run.unitCount)
    let made = try run.run()
    let damage = try DamageReport(setup.damage, location, engine)
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

/// The time of this machine in milliseconds since 1970.
private func milliseconds() -> Int {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

extension FaultKind {
  /// Whether the same command may succeed later, so that what is done is worth keeping.
  var mayPass: Bool {
    [.io, .remote, .locked, .stalled, .stopped, .signal, .internal, .limit].contains(self)
  }
}

import Glibc
import OMGrid
import OMImage
import OMJSON
import OMStore
import OMZarr

// What is there already, who may work at it, and what earlier invocations did.

extension ImageJob {
  /// What rank 0 decided; state and id are known to all ranks.
  struct Decision {
    var state: Target.State
    var runID: String
    var identity: JSONObject
    var outputs: [OutputReport] = []
    /// Which results take the place of some that omtask did not make; on rank 0 only.
    var replaced: [Int] = []
    /// Damaged chunks behind the results that are there already.
    var filledChunks = 0
  }

  /// How the run found its stage.
  struct Opening {
    let entry: StageEntry
    let past: PastWork
  }

  func decide(_ setup: ImageSetup, _ target: Target) throws -> Decision {
    let found: Decision? = try engine.agree {
      if engine.rank != 0 { return nil }
      let identity = try RunIdentity(request, setup)
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
    let found = try target.look(runID: decision.runID)
    let records = found.records
    decision.state = found.state
    decision.replaced = found.replaced
    decision.filledChunks = Provenance.filledChunks(records)
    decision.outputs = setup.names.indices.map { index in
      var output = OutputReport(
        name: target.names[index], uri: target.uri(index), kind: setup.outputKind,
        dataType: setup.outputKind == .table ? nil : setup.plans[index].expectedDataType)
      output.plate = setup.newPlate?.path.uri
      Provenance.report(records[index], into: &output)
      return output
    }
  }

  @Sendable private func warn(_ text: String) { tell(.warning(text)) }

  /// The folder that takes what is made.
  func room(_ target: Target) -> String {
    if target.bucket != nil { return request.options.scratch ?? "" }
    return target.output?.stageHolder ?? location.displayName
  }

  func makeCommitter(_ target: Target, _ runID: String) throws(Fault) -> any Committer {
    let durability = request.options.durability
    let rules = request.lockRules(holder, warn)
    if let bucket = target.bucket {
      return BucketCommitter(
        bucket, target, scratch: try BucketScratch.open(in: request.options.scratch),
        runID: runID, rank: engine.rank, durability: durability, rules, request.options.stop.work)
    }
    if !target.levels.isEmpty {
      return try InPlaceCommitter(
        target, target.home, runID: runID, rank: engine.rank, durability: durability, rules)
    }
    if let output = target.output {
      return try SeparateCommitter(
        output, target, runID: runID, rank: engine.rank, durability: durability,
        threads: request.options.threads, rules)
    }
    return try ImageCommitter(
      target, runID: runID, rank: engine.rank, durability: durability, rules, watch)
  }

  /// Takes the lock of the run, looks again at what is there, and reads what earlier invocations did.
  func open(
    _ setup: ImageSetup, _ target: Target, _ committer: any Committer,
    _ decision: inout Decision, _ preset: [Choices?]
  ) throws -> Opening {
    let before = decision
    let entered: (Decision, StageEntry)? = try engine.agree {
      if engine.rank != 0 { return nil }
      var now = before
      let entry = try enter(
        setup, target, committer, &now, preset, part: request.options.part,
        patience: request.options.lockWait)
      return (now, entry)
    }
    var packet = Packet()
    if let (now, entry) = entered {
      packet.write(now.state.rawValue)
      packet.write(committer.stage.mark)
      entry.write(to: &packet)
    }
    var reader = PacketReader(try engine.communicator.broadcast(packet.bytes))
    decision.state = Target.State(rawValue: try reader.read(UInt8.self)) ?? .open
    if let (now, _) = entered { decision = now }
    let mark = try reader.readBytes()
    let entry = try StageEntry(&reader)
    do {
      if engine.rankCount > 1 {
        try engine.agree { if engine.rank > 0 { try committer.stage.checkSame(mark, patience: 5) } }
      }
    } catch {
      if engine.rank == 0 { _ = committer.stage.leave(keeps: !entry.isNew) }
      throw error
    }
    committer.stage.begin(invocation: entry.invocation)
    return Opening(entry: entry, past: PastWork(entry.journals))
  }

  /// *Local*, rank 0.
  private func enter(
    _ setup: ImageSetup, _ target: Target, _ committer: any Committer,
    _ decision: inout Decision, _ preset: [Choices?], part: WorkPart? = nil, patience: Double
  ) throws(Fault) -> StageEntry {
    var locks = request.lockRules(holder, warn)
    locks.patience = patience
    var rules = StageRules(
      locks: locks, startsFresh: request.options.fresh,
      wayOut: target.bucket != nil
        ? "`--scratch FOLDER` names another place for unfinished results"
        : !target.levels.isEmpty
          ? "the image cannot be written to; `omtask run convert --output` makes a copy that can"
          : request.options.output == nil
            ? "\(target.output == nil ? "the image" : "its folder") cannot be written to; "
              + "`--output URI` puts the result elsewhere" : nil)
    rules.part = part
    let entry = try committer.enter(
      StageRecord.make(request, setup, target, decision.identity, preset), rules)
    if decision.state == .unlisted { committer.stage.expectMore() }
    // What was there without being listed may be another one by now. Who waited to do a part may come
    // when all is done.
    let isOpen = entry.isNew && decision.state != .unlisted && rules.part == nil
    if isOpen && target.bucket == nil { return entry }
    if !isOpen { committer.stage.expectMore() }
    do {
      // While this process waited for the lock, another one may have finished.
      if !isOpen { try look(setup, target, &decision) }
      if decision.state == .open { try committer.claim() }
    } catch {
      _ = committer.stage.leave(keeps: true)
      throw error
    }
    return entry
  }

  /// Removes the stage that a run left behind which was killed when all but that was done.
  ///
  /// *Local*, rank 0. The result is there whatever comes of this: a process that works in the stage
  /// will remove it itself.
  func tidy(
    _ setup: ImageSetup, _ target: Target, _ committer: any Committer, _ decision: Decision
  ) {
    let stage = committer.stage
    committer.tidy()
    if target.bucket == nil { target.register?.tidy() }
    guard stage.hasSiblings else { return }
    // The lock of a list, of levels or of the place of the result may have been left too.
    let locks =
      target.output == nil
      ? Shelf.allCases.map(\.lock) + [InPlaceCommitter.lock] : [SeparateCommitter.lock]
    defer { for lock in locks { lock.tidy(stage.folder, of: stage.holder) } }
    guard stage.exists else { return stage.removeFolders() }
    var now = decision
    let preset: [Choices?] = setup.plans.map { _ in nil }
    do throws(Fault) {
      _ = try enter(setup, target, committer, &now, preset, patience: 0)
      if now.state == .open {
        _ = committer.stage.leave(keeps: true)
      } else {
        try committer.finish()
      }
    } catch {
      committer.stage.unlock()
    }
  }

  /// Gives the stage up, or keeps it where the same command can go on.
  ///
  /// - Returns: The fault, with a word about what is kept.
  func leave(_ committer: any Committer, _ fault: Fault) -> Fault {
    guard engine.rank == 0 else { return fault }
    // Others may be at work in the stage.
    if request.options.part != nil {
      committer.stage.unlock()
      return fault
    }
    let keeps = committer.keeps(after: fault.kind)
    if !keeps { committer.restore() }
    guard committer.stage.leave(keeps: keeps) else { return fault }
    var fault = fault
    fault.facts.append(
      "what is done is kept in `\(committer.stage.path)`; the same command goes on from there")
    return fault
  }

  func makeCheckpoint(
    _ setup: ImageSetup, _ past: PastWork, _ pieces: [Piece], _ committer: any Committer,
    _ invocation: Int
  ) throws(Fault) -> Checkpoint {
    var writer: JournalWriter?
    // A single piece is in hand or done: there is nothing to note, but for others.
    if pieces.count > 1 || request.options.part != nil {
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
    [
      .io, .remote, .locked, .stalled, .stopped, .signal, .internal, .limit, .program,
    ].contains(self)
  }
}

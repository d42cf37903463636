import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMStore

// One of several processes that make an image together without talking to each other.

extension ImageJob {
  /// How the work at a part ended.
  enum PartEnd {
    /// Others are at work still, or may be.
    case done(JobResult)
    /// It was the last one, and all that is left can be done by one process.
    case last(JobResult)
  }

  /// Does a part of the first pass over the image and keeps what it found for whoever does the rest.
  ///
  /// A later pass needs what all parts found. *Local*: an engine of one rank.
  ///
  /// - Returns: Whether all parts are done now.
  /// - Throws: Why it failed; what others did is kept.
  func run(
    _ part: WorkPart, _ setup: ImageSetup, _ target: Target, _ committer: any Committer,
    _ decision: Decision, _ opening: Opening
  ) throws -> PartEnd {
    var result = partResult(part, setup, "is done")
    if decision.state == .done {
      // All was done while this process waited to enter; the stage is one that it made itself.
      committer.stage.unlock()
      tidy(setup, target, committer, decision)
      return .done(result)
    }
    if decision.state != .open || opening.entry.isComplete {
      // A run without parts was killed when all but the end was done.
      committer.stage.unlock()
      return .last(result)
    }
    do {
      try make(part, setup, committer, opening)
    } catch {
      throw leave(committer, Fault(wrapping: error))
    }
    result.bytesWritten = committer.stage.bytesWritten
    committer.stage.unlock()
    // Who notes its part last sees those of all others; more than one process may find that.
    return try allPartsAreDone(committer) ? .last(result) : .done(result)
  }

  /// Whether every part noted that it is done; takes no lock, so that nobody waits for it.
  func allPartsAreDone(_ committer: any Committer) throws(Fault) -> Bool {
    try committer.stage.pastWork().missingParts?.isEmpty ?? false
  }

  /// Does what is left of an image when its last part is done, where that is wanted.
  func close(
    _ part: WorkPart, _ end: PartEnd, _ setup: ImageSetup, _ preset: [Choices?]
  ) throws -> JobResult {
    guard case .last(let result) = end, request.options.lastPartFinishes else {
      switch end {
      case .done(let result), .last(let result): return result
      }
    }
    var whole = request
    whole.options.part = nil
    let job = ImageJob(
      request: whole, location: location, engine: engine, progress: progress, number: number,
      holder: holder, tell: tell, watch: watch)
    do {
      return try job.run { _ in preset }
    } catch let fault as Fault where fault.kind == .locked {
      // Whoever works at it has found all parts done too, and does the rest.
      return partResult(part, setup, "is done, another process does the rest", result)
    }
  }

  private func make(
    _ part: WorkPart, _ setup: ImageSetup, _ committer: any Committer, _ opening: Opening
  ) throws {
    // The same pieces whoever asks and whatever is done: by the stored bytes of the input alone.
    let pieces = try PieceCosts.measured(Piece.all(of: setup.plans), of: setup.plans)
    let own = Partition(costs: pieces.map(\.cost), parts: part.count).pieces(of: part.index)
    let finest = own.flatMap { number in
      setup.plans[pieces[number].plan].units(of: pieces[number]).map {
        UnitPlace(plan: pieces[number].plan, level: 0, number: $0)
      }
    }
    var past = opening.past
    past.keep(Set(own), finest: Set(finest))
    past = try past.verified(setup, pieces, committer, engine)
    let checkpoint = try makeCheckpoint(
      setup, past, pieces, committer, opening.entry.invocation)
    let run = try ImageRun(
      request, setup, engine, committer, checkpoint, progress, pieces,
      preset: setup.plans.map { _ in nil })
    progress.begin(image: number, units: own.count)
    try run.runFirstPass()
    try setup.arrays.check()
    try checkpoint.finish(part)
  }

  /// Refuses parts that would not meet: what is made for a bucket grows in a folder.
  ///
  /// - Throws: A fault of kind `usage`.
  func checkPart(_ target: Target) throws(Fault) {
    let isPart = request.options.part != nil || request.options.needsParts
    guard isPart, target.bucket != nil, !request.options.namesScratch else { return }
    throw Fault(
      .usage, location.displayName, "parts of what goes into a bucket must meet in one folder",
      hint: "`--scratch FOLDER` names one that all of them see")
  }

  /// Refuses to do what parts should have done, where that is wanted.
  ///
  /// *Local*, rank 0.
  ///
  /// - Throws: A fault of kind `missing` that names the parts.
  func checkNothingMissing(_ decision: Decision, _ committer: any Committer) throws(Fault) {
    guard request.options.needsParts, decision.state == .open else { return }
    let past = try committer.stage.pastWork()
    guard let missing = past.missingParts else {
      if past.isComplete { return }
      throw Fault.noParts(location.displayName)
    }
    guard let first = missing.first else { return }
    let names = missing.prefix(Self.listedParts).map(\.description).joined(separator: ", ")
    let more = missing.count - Self.listedParts
    throw Fault(
      .missing, location.displayName,
      "missing: part \(names)" + (more > 0 ? " and \(more) more" : ""),
      hint: "`--part \(first)` and so on make them; `omtask run` does all that is left")
  }

  /// The most missing parts that are named.
  private static var listedParts: Int { 12 }

  func partResult(
    _ part: WorkPart, _ setup: ImageSetup, _ end: String, _ result: JobResult? = nil
  ) -> JobResult {
    var report = ImageReport(uri: location.displayName, status: .part)
    report.note = "part \(part) \(end)"
    return JobResult(report: report, bytesWritten: result?.bytesWritten ?? 0)
  }
}

extension Fault {
  /// Nobody began the work that is to be finished.
  static func noParts(_ subject: String) -> Fault {
    Fault(
      .missing, subject, "no part of it was done",
      hint: "`omtask run TASK IMAGE --part 0/8` and so on do parts; `omtask run` does all of it")
  }
}

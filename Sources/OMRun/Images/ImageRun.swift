import OMGrid
import OMImage
import OMJSON
import OMTask

/// Makes what a task makes of one image, all but the commit.
///
/// Every method is *collective* over the ranks of the engine: an image that is not split runs on
/// an engine of one worker, without any message.
struct ImageRun: Sendable {
  let request: RunRequest
  let setup: ImageSetup
  let engine: any Engine
  /// Takes what is made; nil when only statistics are wanted.
  let committer: (any Committer)?
  /// What was done before, and where this run takes notes; nil when only statistics are wanted.
  let checkpoint: Checkpoint?
  let progress: ProgressCounter
  /// Thresholds that were found over all images of the run; nil finds them in this image.
  let preset: [Choices?]
  /// The regions of all label images in the order of work.
  let pieces: [Piece]
  /// The pieces of this rank.
  let own: [Int]
  /// How memory is shared out.
  let budget: MemoryBudget

  /// Makes the run of an image.
  ///
  /// - Throws: A fault of kind `limit` when the image does not fit in memory.
  init(
    _ request: RunRequest, _ setup: ImageSetup, _ engine: any Engine,
    _ committer: (any Committer)?, _ checkpoint: Checkpoint?, _ progress: ProgressCounter,
    _ pieces: [Piece], preset: [Choices?]
  ) throws(Fault) {
    self.request = request
    self.setup = setup
    self.engine = engine
    self.committer = committer
    self.checkpoint = checkpoint
    self.progress = progress
    self.preset = preset
    self.pieces = pieces
    let memory = ImageRun.memory(request, engine)
    budget = try MemoryBudget(
      setup.plans, memory: memory, workers: engine.workerCount, ranks: engine.rankCount)
    let part = request.options.part
    own = Partition(costs: pieces.map(\.cost), parts: part?.count ?? engine.rankCount)
      .pieces(of: part?.index ?? engine.rank)
  }

  /// Bytes that this image may use: all of the process's, or the share of one worker.
  private static func memory(_ request: RunRequest, _ engine: any Engine) -> Int {
    request.options.memory / max(1, request.options.threads) * engine.workerCount
  }

  var memoryPerWorker: Int {
    request.options.memory / max(1, request.options.threads)
  }

  /// Names the pieces of a walk, given by their numbers, for messages about them.
  func names(_ numbers: [Int]) -> @Sendable (Int) -> String {
    { index in
      let piece = pieces[numbers[index]]
      let image = setup.image.location.displayName
      return "region \(piece.region) of \(setup.plans[piece.plan].title) of \(image)"
    }
  }

  /// The regions that all ranks walk over, in all passes.
  var unitCount: Int {
    pieces.count
      * ImagePass.all(
        setup.plans, memory: memoryPerWorker, preset: preset.contains { $0 != nil }
      ).count
  }

  /// Does the first pass over the own pieces, as far as nothing of other pieces is needed for it.
  ///
  /// What is written or found is noted in the journal; everything else is for the process that goes on
  /// with it. *Local*: an engine of one rank.
  func runFirstPass() throws {
    if let table = setup.table {
      _ = try ownSums(table)
      return
    }
    if let partials = setup.partials {
      _ = try ownPartials(partials)
      return
    }
    if let derived = setup.derived {
      _ = try walkTiles(derived, try makeWriter(0, derived.recipe.dataType))
      return
    }
    if let copy = setup.copy { return try walkCopies(copy.plans, try copyWriters(copy.plans)) }
    if !setup.levels.isEmpty { return try walkLevels(try levelWriters()) }
    if filtersLabels {
      if clearsParts { _ = try ownParts() } else { _ = try countLabels() }
      return
    }
    let (choices, open) = try knownChoices()
    var tables = setup.labels.map { _ in StatisticsTable() }
    if !open.isEmpty { try takeStatistics(open, &tables, survey: nil) }
    let ready = setup.labels.indices.filter { !open.contains($0) }
    let masks = ready.filter { setup.labels[$0].recipe.objects == nil }
    if !masks.isEmpty { _ = try walkMasks(masks, choices, try maskWriters(masks)) }
    let objects = ready.filter { setup.labels[$0].recipe.objects != nil }
    if !objects.isEmpty { _ = try findObjects(pieces(of: objects), choices) }
  }

  /// Makes everything but the commit.
  ///
  /// - Returns: What was made, for the commit and the report, the same on every rank.
  func run() throws -> [MadeImage] {
    if let table = setup.table { return [try writeTable(table)] }
    if let partials = setup.partials { return [try writePartials(partials)] }
    if let derived = setup.derived { return [try writeTiles(derived)] }
    if let copy = setup.copy { return try writeCopies(copy.plans) }
    if !setup.levels.isEmpty { return try writeLevels() }
    if filtersLabels { return try writeFiltered() }
    let choices = try findThresholds()
    let objects = setup.labels.indices.filter { setup.labels[$0].recipe.objects != nil }
    let masks = setup.labels.indices.filter { setup.labels[$0].recipe.objects == nil }
    var made: [Int: MadeImage] = [:]
    if !masks.isEmpty { made = try writeMasks(masks, choices) }
    if !objects.isEmpty { made.merge(try writeObjects(objects, choices)) { mine, _ in mine } }
    return setup.labels.indices.compactMap { made[$0] }
  }
}

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
    own = Partition(costs: pieces.map(\.cost), parts: engine.rankCount).pieces(of: engine.rank)
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

  /// Makes everything but the commit.
  ///
  /// - Returns: What was made, for the commit and the report, the same on every rank.
  func run() throws -> [MadeImage] {
    if let derived = setup.derived { return [try writeTiles(derived)] }
    if !setup.copies.isEmpty { return try writeCopies() }
    if !setup.levels.isEmpty { return try writeLevels() }
    if setup.labels.contains(where: { $0.recipe.filter != nil }) { return try writeFiltered() }
    let choices = try findThresholds()
    let objects = setup.labels.indices.filter { setup.labels[$0].recipe.objects != nil }
    let masks = setup.labels.indices.filter { setup.labels[$0].recipe.objects == nil }
    var made: [Int: MadeImage] = [:]
    if !masks.isEmpty { made = try writeMasks(masks, choices) }
    if !objects.isEmpty { made.merge(try writeObjects(objects, choices)) { mine, _ in mine } }
    return setup.labels.indices.compactMap { made[$0] }
  }
}

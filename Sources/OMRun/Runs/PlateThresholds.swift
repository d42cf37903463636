import OMImage
import OMJSON
import OMTask
import Synchronization

/// Thresholds that hold for all images of a run (scope `plate`), one per channel.
struct PlateThresholds: Sendable {
  /// The merged statistics by the name of the channel; nil when thresholds are found image by image.
  private let table: StatisticsTable?

  /// The choices for the label images of one image; nil finds them in the image.
  ///
  /// - Throws: What keeps a channel of this image from having a threshold; other channels do not
  ///   matter.
  func choices(_ setup: ImageSetup) throws -> [Choices?] {
    guard let table else { return setup.plans.map { _ in nil } }
    return try setup.labels.map { plan in
      var choices = Choices(Scopes(plan))
      try choices.choose(plan.recipe, from: Self.local(table, plan, setup))
      return choices
    }
  }

  /// The statistics of a label image's channels, by their index in its image.
  private static func local(
    _ table: StatisticsTable, _ plan: LabelPlan, _ setup: ImageSetup
  ) throws(Fault) -> StatisticsTable {
    var result = StatisticsTable()
    for channel in plan.recipe.channels {
      if let known = try table.statistics(of: name(channel, setup)) {
        try result.add(channel, known)
      }
    }
    return result
  }

  /// A number for a channel that is the same in all images that name it alike, in whatever order
  /// they have their channels; unnamed channels go by their index.
  private static func name(_ channel: Int, _ setup: ImageSetup) -> Int {
    let known = setup.image.channels ?? []
    guard channel < known.count, let label = known[channel].label ?? known[channel].wavelengthID
    else { return channel }
    let digest = sha256(Array(label.utf8)).prefix(7)
    return digest.reduce(1) { $0 << 8 | Int($1) }
  }

  /// Takes the statistics of all images when the task's scope asks for it.
  ///
  /// *Collective*.
  static func find(
    _ runner: Runner, _ table: RunTable, splits: Bool
  ) throws -> PlateThresholds {
    guard try isWanted(runner) else { return PlateThresholds(table: nil) }
    let first = try pass(runner, table, splits, survey: nil)
    if !first.needsSecondPass {
      return PlateThresholds(table: first.numbers.isEmpty ? nil : first)
    }
    return PlateThresholds(table: try pass(runner, table, splits, survey: first))
  }

  /// Whether the task wants thresholds over all images.
  ///
  /// Rank 0 decides for all: a rank that cannot open an image would go another way alone.
  /// *Collective*.
  static func isWanted(_ runner: Runner) throws(Fault) -> Bool {
    let own: UInt8 = runner.engine.rank == 0 && asksForPlate(runner) ? 1 : 0
    return try runner.engine.communicator.broadcast([own]) == [1]
  }

  /// Asks the first image that opens and has the channels.
  private static func asksForPlate(_ runner: Runner) -> Bool {
    for item in runner.inputs.items {
      guard let location = item.location,
        let setup = try? ImageSetup(location, runner.request), !setup.labels.isEmpty
      else { continue }
      return setup.labels.contains { $0.recipe.scope == .plate }
    }
    return false
  }

  /// One pass over all images; images that fail here are not tried again.
  private static func pass(
    _ runner: Runner, _ table: RunTable, _ splits: Bool, survey: StatisticsTable?
  ) throws -> StatisticsTable {
    let progress = ProgressCounter(splits ? runner.observer : nil, unit: "regions")
    let merged = Mutex(StatisticsTable())
    let request = runner.request
    @Sendable func take(_ index: Int, _ engine: any Engine) throws {
      guard let location = runner.inputs.items[index].location, !table.hasFailed(index) else {
        return
      }
      do {
        let setup = try engine.agree { try ImageSetup(location, request) }
        let pieces = try PieceCosts.shared(Piece.all(of: setup.plans), of: setup.plans, engine)
        let run = try engine.agree {
          try ImageRun(
            request, setup, engine, nil, nil, progress, pieces,
            preset: setup.labels.map { _ in nil })
        }
        let known = try survey.map { all in
          try setup.labels.map { try local(all, $0, setup) }
        }
        for one in try run.statistics(survey: known) {
          let named = try one.renumbered { name($0, setup) }
          try merged.withLock { try $0.add(named) }
        }
      } catch {
        let fault = Fault(wrapping: error)
        if fault.endsRun { throw fault }
        table.fail(index, fault)
      }
      table.add(engine.closeReaders())
    }
    if splits {
      for index in runner.inputs.items.indices { try take(index, runner.engine) }
      return merged.withLock { $0 }
    }
    let own = runner.ownImages
    try runner.engine.agree {
      let name: @Sendable (Int) -> String = { runner.inputs.items[own[$0]].uri }
      try runner.engine.walk(own.count, name: name) { number, worker in
        try take(own[number], SerialEngine(worker, stop: request.options.stop))
      }
    }
    return try merged.withLock { $0 }.merged(runner.engine.communicator)
  }
}

import OMGrid
import OMImage
import OMJSON
import OMObjects
import OMTask
import OMZarr
import Synchronization

/// Makes the label images of one image: statistics, objects, labels, levels, commit.
///
/// Every method is *collective* over the ranks of the engine: an image that is not split runs on
/// an engine of one worker, without any message.
struct ImageRun: Sendable {
  let request: RunRequest
  let setup: ImageSetup
  let engine: any Engine
  /// Takes what is made; nil when only statistics are wanted.
  let committer: (any Committer)?
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
    _ committer: (any Committer)?, _ progress: ProgressCounter, _ pieces: [Piece],
    preset: [Choices?]
  ) throws(Fault) {
    self.request = request
    self.setup = setup
    self.engine = engine
    self.committer = committer
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

  private var memoryPerWorker: Int {
    request.options.memory / max(1, request.options.threads)
  }

  /// The regions that this rank walks over, in all passes.
  var unitCount: Int {
    own.count
      * ImagePass.all(
        setup.plans, memory: memoryPerWorker, preset: preset.contains { $0 != nil }
      ).count
  }

  /// Makes everything but the commit.
  ///
  /// - Returns: What was made, for the commit and the report, the same on every rank.
  func run() throws -> [MadeLabel] {
    let choices = try findThresholds()
    let masksOnly = setup.plans.allSatisfy { $0.recipe.objects == nil }
    return masksOnly ? try writeMasks(choices) : try writeObjects(choices)
  }

  // MARK: - Statistics

  /// The thresholds of each label image; nil where each region finds its own.
  private func findThresholds() throws -> [Choices?] {
    var tables = setup.plans.map { _ in StatisticsTable() }
    var choices = preset
    var open: [Int] = []
    for (index, plan) in setup.plans.enumerated() where choices[index] == nil {
      if plan.recipe.statistics == nil {
        choices[index] = Choices(Scopes(plan), fixed: try plan.recipe.choose(nil))
      } else if plan.takesStatistics(memory: memoryPerWorker) {
        open.append(index)
      }
    }
    if open.isEmpty { return choices }
    try takeStatistics(open, &tables, survey: nil)
    let again = open.filter { tables[$0].scopes.values.contains { $0.needsSecondPass } }
    if !again.isEmpty {
      let survey = tables
      for index in again { tables[index] = StatisticsTable() }
      try takeStatistics(again, &tables, survey: survey)
    }
    for index in open {
      var found = Choices(Scopes(setup.plans[index]))
      try found.choose(setup.plans[index].recipe, from: tables[index])
      choices[index] = found
    }
    return choices
  }

  /// The statistics of all scopes of a plan, for thresholds over several images.
  func statistics(survey: [StatisticsTable]?) throws -> [StatisticsTable] {
    var tables = setup.plans.map { _ in StatisticsTable() }
    try takeStatistics(Array(setup.plans.indices), &tables, survey: survey)
    return tables
  }

  private func takeStatistics(
    _ plans: [Int], _ tables: inout [StatisticsTable], survey: [StatisticsTable]?
  ) throws {
    let wanted = own.filter { plans.contains(pieces[$0].plan) }
    let merged = Mutex(tables)
    progress.begin(survey == nil ? .statistics : .statisticsInRange)
    try engine.agree {
      try engine.walk(wanted.count, most: budget.workers) { index, worker in
        let piece = pieces[wanted[index]]
        let plan = setup.plans[piece.plan]
        guard let need = plan.recipe.statistics else { return }
        let pass = StatisticsPass(plan: plan, need: need, survey: survey?[piece.plan])
        let table = try pass.run(piece.region, worker)
        try merged.withLock { try $0[piece.plan].add(table) }
        progress.add(piece, plan)
      }
    }
    tables = merged.withLock { $0 }
    for index in plans { tables[index] = try tables[index].merged(engine.communicator) }
    try shareImageScope(plans, &tables)
  }

  /// With the scope `image`, all label images of the image share one threshold.
  private func shareImageScope(
    _ plans: [Int], _ tables: inout [StatisticsTable]
  ) throws(Fault) {
    let sharing = plans.filter { setup.plans[$0].recipe.scope == .image }
    guard sharing.count > 1 else { return }
    var all = StatisticsTable()
    for index in sharing { try all.add(tables[index]) }
    for index in sharing { tables[index] = all }
  }

  // MARK: - Masks

  private func writeMasks(_ choices: [Choices?]) throws -> [MadeLabel] {
    let writers = try setup.plans.enumerated().map { index, plan in
      try makeWriter(index, plan.expectedDataType)
    }
    let foreground = Mutex([Int](repeating: 0, count: writers.count))
    progress.begin(.mask)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers) { index, worker in
        let piece = pieces[own[index]]
        guard let known = choices[piece.plan] else { return }
        let pass = MaskPass(plan: setup.plans[piece.plan], choices: known)
        let count = try pass.run(piece.region, into: writers[piece.plan], worker)
        foreground.withLock { $0[piece.plan] += count }
        progress.add(piece, setup.plans[piece.plan])
      }
    }
    try completeLevels(writers)
    let counts = try summed(foreground.withLock { $0 })
    return setup.plans.indices.map { index in
      MadeLabel(
        layouts: writers[index].layouts, objects: nil, foreground: counts[index],
        thresholds: choices[index]?.thresholds ?? [],
        hasConstantScope: choices[index]?.hasConstantScope ?? false)
    }
  }

  // MARK: - Objects

  private func writeObjects(_ choices: [Choices?]) throws -> [MadeLabel] {
    let found = try findObjects(choices)
    var numbered = found.parts
    var totals: [Int] = []
    for (index, plan) in setup.plans.enumerated() {
      guard let rules = plan.recipe.objects else { continue }
      totals.append(try resolve(index, plan, rules, &numbered))
    }
    let writers = try setup.plans.enumerated().map { index, plan in
      try makeWriter(index, try labelType(plan, objects: totals[index]))
    }
    let (own, parts) = try Rebalance(communicator: engine.communicator).run(
      own, numbered, paintingCosts(numbered))
    try paint(own, parts, choices, writers)
    try completeLevels(writers)
    let counts = try summed(found.foreground)
    let thresholds = try gathered(choices, found.choices)
    return setup.plans.indices.map { index in
      MadeLabel(
        layouts: writers[index].layouts, objects: totals[index], foreground: counts[index],
        thresholds: thresholds[index].thresholds, hasConstantScope: thresholds[index].constant)
    }
  }

  /// What the objects pass leaves behind on this rank.
  private struct FoundObjects: Sendable {
    /// For each own piece its blocks.
    var parts: [RegionParts]
    var foreground: [Int]
    var choices: [Choices?]
  }

  private func findObjects(_ choices: [Choices?]) throws -> FoundObjects {
    let empty = FoundObjects(
      parts: own.map { _ in RegionParts() }, foreground: setup.plans.map { _ in 0 },
      choices: setup.plans.map { _ in nil })
    let found = Mutex(empty)
    let store = RunStore(limit: budget.betweenPasses)
    progress.begin(.objects)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers) { index, worker in
        let piece = pieces[own[index]]
        let plan = setup.plans[piece.plan]
        guard let rules = plan.recipe.objects else { return }
        let pass = ObjectsPass(plan: plan, rules: rules, choices: choices[piece.plan])
        let objects = try pass.run(piece.region, worker)
        let parts = try store.keep(objects.blocks, in: plan.blockGrid)
        found.withLock {
          $0.parts[index] = parts
          $0.foreground[piece.plan] += objects.foreground
          if let chosen = objects.choices {
            var all = $0.choices[piece.plan] ?? Choices(Scopes(plan))
            all.add(chosen)
            $0.choices[piece.plan] = all
          }
        }
        progress.add(piece, plan)
      }
    }
    return found.withLock { $0 }
  }

  private func resolve(
    _ index: Int, _ plan: LabelPlan, _ rules: ObjectRules, _ parts: inout [RegionParts]
  ) throws(Fault) -> Int {
    var blocks: [LabelledBlock] = []
    var openings: [BlockOpening] = []
    var places: [(part: Int, block: Int)] = []
    for part in parts.indices where pieces[own[part]].plan == index {
      for block in parts[part].blocks.indices { places.append((part, block)) }
      blocks += parts[part].blocks
      openings += parts[part].openings
      parts[part].openings = []
    }
    let total = try ObjectResolution(
      grid: plan.blockGrid, rules: rules, communicator: engine.communicator
    ).resolve(&blocks, openings)
    for (place, block) in zip(places, blocks) { parts[place.part].blocks[place.block] = block }
    return total
  }

  /// The type of the label image, now that the number of objects is known.
  private func labelType(_ plan: LabelPlan, objects: Int) throws(Fault) -> DataType {
    guard plan.recipe.objects?.numbers == true else { return plan.expectedDataType }
    guard let asked = plan.recipe.dataType else {
      return objects > Int(UInt32.max) ? .uint64 : .uint32
    }
    if UInt64(objects) > asked.largest {
      throw Fault(
        .usage, plan.name,
        "`dtype` is `\(asked.rawValue)`, which counts to \(asked.largest), "
          + "but there are \(objects) objects",
        hint: "leave `--dtype` out, or drop small objects with `--min-size`")
    }
    return asked.dataType
  }

  private func paintingCosts(_ parts: [RegionParts]) -> [Double] {
    if engine.rankCount == 1 { return [] }
    return parts.indices.map { index in
      let plan = setup.plans[pieces[own[index]].plan]
      return parts[index].paintingCost(
        chunk: plan.axes.vector(plan.source.metadata.innerChunkShape))
    }
  }

  private func paint(
    _ own: [Int], _ parts: [RegionParts], _ choices: [Choices?], _ writers: [PyramidWriter]
  ) throws {
    progress.begin(.labels)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers) { index, worker in
        let piece = pieces[own[index]]
        let plan = setup.plans[piece.plan]
        guard let rules = plan.recipe.objects else { return }
        var blocks = parts[index].blocks
        if parts[index].droppedRuns {
          let pass = ObjectsPass(plan: plan, rules: rules, choices: choices[piece.plan])
          try pass.restoreRuns(&blocks, piece.region, worker)
        }
        try LabelPass(plan: plan).run(piece.region, blocks, into: writers[piece.plan], worker)
        progress.add(piece, plan)
      }
    }
  }

  // MARK: - Levels and totals

  private func makeWriter(_ index: Int, _ type: DataType) throws -> PyramidWriter {
    let plan = setup.plans[index]
    let layouts = try plan.layouts(type)
    guard let committer else { throw Fault(.internal, "", "nothing takes what is made") }
    return PyramidWriter(
      layouts: layouts, ratios: plan.ratios, downsampling: plan.recipe.downsampling
    ) { level, unit, bytes throws(Fault) in
      try committer.publish(
        label: index, level: level, key: layouts[level].unitKey(unit), bytes: bytes)
    }
  }

  private func completeLevels(_ writers: [PyramidWriter]) throws {
    guard let committer else { return }
    for (index, writer) in writers.enumerated() {
      let completion = LevelCompletion(writer: writer, engine: engine) { level in
        try committer.staged(label: index, level: level, layout: writer.layouts[level])
      }
      try completion.run()
    }
  }

  /// Sums over all ranks.
  private func summed(_ values: [Int]) throws(Fault) -> [Int] {
    var packet = Packet()
    packet.write(values.map { Int64($0) })
    var totals = [Int](repeating: 0, count: values.count)
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      for (index, value) in try reader.readArray(Int64.self).enumerated() {
        totals[index] += Int(value)
      }
    }
    return totals
  }

  /// The thresholds of all ranks, where regions chose for themselves.
  private func gathered(
    _ choices: [Choices?], _ found: [Choices?]
  ) throws(Fault) -> [(thresholds: [ScopeThreshold], constant: Bool)] {
    var result: [(thresholds: [ScopeThreshold], constant: Bool)] = []
    for index in setup.plans.indices {
      if let known = choices[index] {
        result.append((known.thresholds, known.hasConstantScope))
        continue
      }
      var packet = Packet()
      packet.write(found[index]?.hasConstantScope ?? false)
      for (number, choice) in found[index]?.known ?? [:] {
        packet.write(UInt64(number))
        packet.write(choice.threshold)
      }
      var all: [(number: Int, value: Double)] = []
      var constant = false
      for bytes in try engine.communicator.gatherAll(packet.bytes) {
        var reader = PacketReader(bytes)
        constant = try reader.read(Bool.self) || constant
        while !reader.isAtEnd {
          all.append((Int(try reader.read(UInt64.self)), try reader.read(Double.self)))
        }
      }
      let scopes = Scopes(setup.plans[index])
      let thresholds = all.sorted { $0.number < $1.number }.map {
        ScopeThreshold(scope: scopes.name($0.number), value: $0.value)
      }
      result.append((thresholds, constant))
    }
    return result
  }
}

import OMGrid
import OMJSON
import OMObjects
import OMTask
import OMZarr
import Synchronization

// The label images of an image: masks straight from voxels, or objects in two passes.

extension ImageRun {
  func writeMasks(_ choices: [Choices?]) throws -> [MadeLabel] {
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

  func writeObjects(_ choices: [Choices?]) throws -> [MadeLabel] {
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
}

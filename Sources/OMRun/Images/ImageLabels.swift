import OMGrid
import OMJSON
import OMObjects
import OMTask
import OMZarr
import Synchronization

// The label images of an image: masks straight from voxels, or objects in two passes.

extension ImageRun {
  /// Writes the label images that are masks straight from voxels.
  ///
  /// *Collective*.
  func writeMasks(_ plans: [Int], _ choices: [Choices?]) throws -> [Int: MadeImage] {
    let writers = try maskWriters(plans)
    let counts = try walkMasks(plans, choices, writers)
    try checkCoverage(.mask, of: plans)
    try completeLevels(writers)
    let totals = try summed(counts)
    return writers.mapValues(\.layouts).reduce(into: [:]) { made, writer in
      made[writer.key] = MadeImage(
        layouts: writer.value,
        label: LabelFacts(
          objects: nil, counts: totals[writer.key],
          thresholds: choices[writer.key]?.thresholds ?? [],
          hasConstantScope: choices[writer.key]?.hasConstantScope ?? false))
    }
  }

  /// A writer for each label image that is a mask.
  func maskWriters(_ plans: [Int]) throws -> [Int: PyramidWriter] {
    var writers: [Int: PyramidWriter] = [:]
    for index in plans {
      writers[index] = try makeWriter(index, setup.labels[index].expectedDataType)
    }
    return writers
  }

  /// Writes the own pieces of masks, and coarser levels as far as they go.
  ///
  /// - Returns: The voxels of the own pieces, by label image.
  func walkMasks(
    _ plans: [Int], _ choices: [Choices?], _ writers: [Int: PyramidWriter]
  ) throws -> [VoxelCounts] {
    let all = pieces(of: plans)
    let own = open(all, .mask)
    let counts = Mutex(countsBefore(.mask, all))
    progress.begin(.mask)
    progress.skip(all.count - own.count)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers, name: names(own)) { index, worker in
        let piece = pieces[own[index]]
        guard let choices = choices[piece.plan], let writer = writers[piece.plan] else { return }
        let pass = MaskPass(plan: setup.labels[piece.plan], choices: choices)
        let count = try pass.run(piece.region, into: writer, worker)
        counts.withLock { $0[piece.plan] += count }
        try checkpoint?.finish(.mask, own[index], count)
        progress.add(piece, setup.labels[piece.plan])
      }
    }
    return counts.withLock { $0 }
  }

  /// Finds, numbers and writes the label images of objects.
  ///
  /// *Collective*.
  func writeObjects(_ plans: [Int], _ choices: [Choices?]) throws -> [Int: MadeImage] {
    let own = pieces(of: plans)
    var found = try findObjects(own, choices)
    var totals: [Int: Int] = [:]
    var writers: [Int: PyramidWriter] = [:]
    for index in plans {
      let plan = setup.labels[index]
      guard let rules = plan.recipe.objects else { continue }
      let total = try resolve(index, own, plan, rules, &found.parts)
      totals[index] = total
      writers[index] = try makeWriter(index, try labelType(plan, objects: total))
    }
    let (painted, parts) = try Rebalance(communicator: engine.communicator).run(
      own, found.parts, paintingCosts(own, found.parts))
    found.parts = []
    try paint(painted, parts, choices, writers)
    try checkCoverage(.labels, of: plans)
    try completeLevels(writers)
    let counts = try summed(found.counts)
    let thresholds = try gathered(choices, found.choices)
    return writers.mapValues(\.layouts).reduce(into: [:]) { made, writer in
      made[writer.key] = MadeImage(
        layouts: writer.value,
        label: LabelFacts(
          objects: totals[writer.key], counts: counts[writer.key],
          thresholds: thresholds[writer.key].thresholds,
          hasConstantScope: thresholds[writer.key].constant,
          regions: setup.labels[writer.key].regionRecord))
    }
  }

  /// The pieces of this rank that belong to some of the label images.
  func pieces(of plans: [Int]) -> [Int] { own.filter { plans.contains(pieces[$0].plan) } }

  /// Those of some pieces that no earlier invocation did.
  private func open(_ own: [Int], _ pass: ImagePass) -> [Int] {
    own.filter { checkpoint?.isDone(pass, $0) != true }
  }

  /// The voxels of the pieces that earlier invocations did, by label image.
  private func countsBefore(_ pass: ImagePass, _ own: [Int]) -> [VoxelCounts] {
    var counts = [VoxelCounts](repeating: VoxelCounts(), count: setup.labels.count)
    for piece in own {
      counts[pieces[piece].plan] += checkpoint?.counts(pass, piece) ?? VoxelCounts()
    }
    return counts
  }

  /// What the objects pass leaves behind on this rank.
  struct FoundObjects: Sendable {
    /// For each own piece its blocks.
    var parts: [RegionParts]
    var counts: [VoxelCounts]
    var choices: [Choices?]
  }

  func findObjects(_ own: [Int], _ choices: [Choices?]) throws -> FoundObjects {
    let empty = FoundObjects(
      parts: own.map { _ in RegionParts() }, counts: setup.labels.map { _ in VoxelCounts() },
      choices: setup.labels.map { _ in nil })
    let found = Mutex(empty)
    let store = RunStore(limit: budget.betweenPasses)
    progress.begin(.objects)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers, name: names(own)) { index, worker in
        let piece = pieces[own[index]]
        let plan = setup.labels[piece.plan]
        guard let rules = plan.recipe.objects else { return }
        let pass = ObjectsPass(plan: plan, rules: rules, choices: choices[piece.plan])
        let objects = try find(own[index], plan, pass, worker)
        let parts = try store.keep(
          objects.blocks, in: plan.blockGrid, mayDropRuns: plan.recipe.tiles == nil)
        found.withLock {
          $0.parts[index] = parts
          $0.counts[piece.plan] += objects.counts
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

  /// The objects of a piece: as an earlier invocation found them, or found now and kept.
  private func find(
    _ number: Int, _ plan: LabelPlan, _ pass: ObjectsPass, _ worker: Worker
  ) throws -> RegionObjects {
    if let bytes = checkpoint?.partial(.objects, number), let known = try pass.restored(bytes) {
      return known
    }
    let objects = try pass.run(pieces[number].region, worker)
    // Finding them again may take another program long.
    let limit = plan.recipe.tiles == nil ? pieces[number].keptBytes(plan) : .max
    try checkpoint?.keep(.objects, number, limit: limit) {
      objects.packed()
    }
    return objects
  }

  private func resolve(
    _ index: Int, _ own: [Int], _ plan: LabelPlan, _ rules: ObjectRules,
    _ parts: inout [RegionParts]
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
      grid: plan.blockGrid, rules: rules, order: plan.seamOrder,
      communicator: engine.communicator
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

  private func paintingCosts(_ own: [Int], _ parts: [RegionParts]) -> [Double] {
    if engine.rankCount == 1 { return [] }
    return parts.indices.map { index in
      if checkpoint?.isDone(.labels, own[index]) == true { return 0 }
      let plan = setup.labels[pieces[own[index]].plan]
      return parts[index].paintingCost(
        chunk: plan.axes.vector(plan.source.metadata.innerChunkShape))
    }
  }

  private func paint(
    _ own: [Int], _ parts: [RegionParts], _ choices: [Choices?],
    _ writers: [Int: PyramidWriter]
  ) throws {
    let places = own.indices.filter { checkpoint?.isDone(.labels, own[$0]) != true }
    progress.begin(.labels)
    progress.skip(own.count - places.count)
    try engine.agree {
      let name = names(places.map { own[$0] })
      try engine.walk(places.count, most: budget.workers, name: name) { number, worker in
        let index = places[number]
        let piece = pieces[own[index]]
        let plan = setup.labels[piece.plan]
        guard let rules = plan.recipe.objects, let writer = writers[piece.plan] else { return }
        var blocks = parts[index].blocks
        if parts[index].droppedRuns {
          let pass = ObjectsPass(plan: plan, rules: rules, choices: choices[piece.plan])
          try pass.restoreRuns(&blocks, piece.region, worker)
        }
        try LabelPass(plan: plan).run(piece.region, blocks, into: writer, worker)
        try checkpoint?.finish(.labels, own[index])
        progress.add(piece, plan)
      }
    }
  }
}

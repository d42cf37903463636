import OMCodecs
import OMGrid
import OMJSON
import OMObjects
import OMTask
import OMZarr

/// The components of one region, and what was learnt on the way.
struct RegionObjects: Sendable {
  /// One block per (t, c) volume of the region.
  var blocks: [LabelledBlock] = []
  /// How many voxels count, and how many of them are foreground before any object rule.
  var counts = VoxelCounts()
  /// The thresholds that were chosen on the way, when regions hold whole scopes.
  var choices: Choices?
  /// The statistics behind them.
  var statistics: StatisticsTable?
}

/// Finds the connected components of a region.
struct ObjectsPass: Sendable {
  let plan: LabelPlan
  let rules: ObjectRules
  /// The thresholds; nil when every region holds whole scopes and chooses for itself.
  let choices: Choices?

  /// Finds the components of a region.
  func run(_ region: Region, _ worker: Worker) throws -> RegionObjects {
    if let tiles = plan.recipe.tiles { return try find(region, tiles, worker) }
    try plan.prepare(region, worker)
    if rules.comparesValues {
      var result = try plan.equalParts(region, rules, worker)
      result.counts.processed = worker.admitted.count
      return result
    }
    let isInMemory = choices == nil && plan.recipe.smoothing == nil
    var result = RegionObjects()
    result.counts.processed = worker.admitted.count
    for part in plan.parts(of: region) {
      var known = choices
      if known == nil {
        let (chosen, table) = try choose(part, worker)
        result.choices = result.choices.map { joined($0, chosen) } ?? chosen
        var tables = result.statistics ?? StatisticsTable()
        try tables.add(table)
        result.statistics = tables
        known = chosen
      }
      guard let known else { continue }
      result.counts.foreground += try fillMask(
        part, MaskPass(plan: plan, choices: known), worker, fromMemory: isInMemory)
      result.blocks.append(
        worker.labeller.label(
          worker.mask, block: plan.block(part), in: plan.blockGrid,
          order: rules.connectivity.order, findsBorder: rules.clearsBorder))
    }
    return result
  }

  /// Takes the objects of a region as a kernel finds and numbers them.
  private func find(
    _ region: Region, _ tiles: TileLabels, _ worker: Worker
  ) throws -> RegionObjects {
    var result = RegionObjects()
    let work = TileWork(source: plan.source, axes: plan.axes, damage: plan.damage)
    for part in plan.parts(of: region) {
      let made = plan.axes.grown(
        part.source, by: plan.overlap ?? Vector3(0, 0, 0), within: plan.source.metadata.shape)
      let room = worker.made.replace(byteCount: made.count * DataType.uint32.byteCount)
      guard let start = room.baseAddress else { continue }
      try work.make(
        part.source, tiles.kernel, .uint32, into: start, worker, withHalo: plan.overlap != nil)
      let block = LabelledBlock(
        labels: UnsafePointer(start.assumingMemoryBound(to: UInt32.self)), block: plan.block(part),
        in: plan.blockGrid)
      result.counts.processed += part.source.count
      result.counts.foreground += block.voxelCount
      result.blocks.append(block)
    }
    return result
  }

  /// Finds the runs of a region again, for blocks that dropped theirs.
  func restoreRuns(_ blocks: inout [LabelledBlock], _ region: Region, _ worker: Worker) throws {
    let again = try run(region, worker)
    for index in blocks.indices { blocks[index].takeRuns(of: again.blocks[index]) }
  }

  private func joined(_ one: Choices, _ other: Choices) -> Choices {
    var both = one
    both.add(other)
    return both
  }

  private func fillMask(
    _ part: VolumePart, _ pass: MaskPass, _ worker: Worker, fromMemory: Bool
  ) throws -> Int {
    let shape = plan.spatial(part.label.shape)
    let origin = plan.axes.vector(part.source.origin)
    worker.mask.clear(rows: shape.z * shape.y, length: shape.x)
    var foreground = 0
    func add(_ lines: PlaneLines) throws {
      let firstRow =
        (plan.axes.space.count == 3 ? lines.z - origin.z : 0) * shape.y + lines.y - origin.y
      foreground += try pass.apply(part, lines, worker) { mask, row, count in
        worker.mask.insert(mask, count: count, row: firstRow + row, x: lines.x - origin.x)
      }
    }
    if fromMemory {
      try plan.planes(of: part.source, in: part.source, worker.voxels.bytes.baseAddress, nil, add)
    } else {
      try plan.visit(part, worker, add)
    }
    return foreground
  }

  /// Reads a part into memory and chooses its thresholds there, so that it is decoded only once.
  private func choose(
    _ part: VolumePart, _ worker: Worker
  ) throws -> (Choices, StatisticsTable) {
    let scopes = Scopes(plan)
    guard let need = plan.recipe.statistics else {
      return (Choices(scopes, fixed: try plan.recipe.choose(nil)), StatisticsTable())
    }
    var voxels: UnsafeRawPointer?
    if plan.recipe.smoothing == nil {
      let type = plan.source.metadata.dataType
      let room = worker.voxels.replace(byteCount: part.source.count * type.byteCount)
      guard let start = room.baseAddress else { return (Choices(scopes), StatisticsTable()) }
      try worker.reader(of: plan.source, damage: plan.damage).read(part.source, into: start)
      voxels = UnsafeRawPointer(start)
    }
    var table = try collect(StatisticsPass(plan: plan, need: need), part, voxels, worker)
    if table.needsSecondPass {
      table = try collect(
        StatisticsPass(plan: plan, need: need, survey: table), part, voxels, worker)
    }
    var choices = Choices(scopes)
    try choices.choose(plan.recipe, from: table)
    return (choices, table)
  }

  /// What an earlier invocation found in a region; nil when it lacks the thresholds needed here.
  func restored(_ bytes: [UInt8]) throws(Fault) -> RegionObjects? {
    guard var result = try? RegionObjects(unpacking: bytes) else { return nil }
    if choices != nil || plan.recipe.tiles != nil { return result }
    guard let table = result.statistics else { return nil }
    var chosen = Choices(Scopes(plan))
    try chosen.choose(plan.recipe, from: table)
    result.choices = chosen
    return result
  }

  private func collect(
    _ pass: StatisticsPass, _ part: VolumePart, _ voxels: UnsafeRawPointer?, _ worker: Worker
  ) throws -> StatisticsTable {
    try pass.run(part, worker) { body in
      guard let voxels else { return try plan.visit(part, worker, body) }
      try plan.planes(of: part.source, in: part.source, voxels, nil, body)
    }
  }
}

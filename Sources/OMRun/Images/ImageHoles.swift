import OMGrid
import OMJSON
import OMObjects
import OMTask
import OMZarr
import Synchronization

// The holes of labels: background that is joined over all regions before it is filled.

extension ImageRun {
  /// Finds the background of this rank's regions, and what becomes of it.
  ///
  /// *Collective*.
  ///
  /// - Parameters:
  ///   - numbers: For each label image the labels that stay, with their numbers.
  ///   - used: Bytes that are kept besides.
  /// - Returns: For each own piece its background; empty where no holes are filled.
  /// - Throws: What reading throws, and `limit` when the background does not fit in memory.
  func findHoles(
    _ numbers: [[LabelKey: UInt64]], beside used: Int
  ) throws -> [Int: RegionParts] {
    let plans = setup.labels.indices.filter { setup.labels[$0].recipe.filter?.holes != nil }
    let own = pieces(of: plans)
    if plans.isEmpty { return [:] }
    let found = Mutex([Int: RegionParts]())
    let store = RunStore(limit: max(0, budget.betweenPasses - used))
    progress.begin(.holes)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers, name: names(own)) { index, worker in
        let piece = pieces[own[index]]
        let plan = setup.labels[piece.plan]
        let labels = ChosenLabels(plan: plan, numbers: numbers[piece.plan])
        let blocks = try background(own[index], labels, worker)
        let parts = try store.keep(blocks, in: plan.holeGrid, mayDropRuns: true)
        found.withLock { $0[own[index]] = parts }
        progress.add(piece, plan)
      }
    }
    var all = found.withLock { $0 }
    for index in plans {
      try resolve(setup.labels[index], own.filter { pieces[$0].plan == index }, &all)
    }
    return all
  }

  /// The background of a piece: as an earlier invocation found it, or found now and kept.
  private func background(
    _ number: Int, _ labels: ChosenLabels, _ worker: Worker
  ) throws -> [LabelledBlock] {
    if let bytes = checkpoint?.partial(.holes, number),
      let known = try? RegionObjects(unpacking: bytes)
    {
      return known.blocks
    }
    let found = try labels.background(pieces[number].region, worker)
    try checkpoint?.keep(.holes, number, limit: pieces[number].keptBytes(labels.plan)) {
      found.packed()
    }
    return found.blocks
  }

  private func resolve(
    _ plan: LabelPlan, _ own: [Int], _ all: inout [Int: RegionParts]
  ) throws(Fault) {
    guard let holes = plan.recipe.filter?.holes else { return }
    var blocks = own.flatMap { all[$0]?.blocks ?? [] }
    try HoleResolution(grid: plan.holeGrid, holes: holes, communicator: engine.communicator)
      .resolve(&blocks, own.flatMap { all[$0]?.openings ?? [] })
    var next = 0
    for piece in own {
      let count = all[piece]?.blocks.count ?? 0
      all[piece]?.blocks = Array(blocks[next..<next + count])
      all[piece]?.openings = []
      next += count
    }
  }
}

/// The labels of a label image that stay, with what their type decides once for each region.
struct ChosenLabels: Sendable {
  let plan: LabelPlan
  let numbers: [LabelKey: UInt64]

  private func shaped<Label>(_: Label.Type) -> ShapedLabels<Label> {
    ShapedLabels(plan: plan, numbers: numbers)
  }

  /// Finds the background of a region.
  func background(_ region: Region, _ worker: Worker) throws -> RegionObjects {
    switch plan.expectedDataType.byteCount {
    case 1: try HolesPass(shaped: shaped(UInt8.self)).run(region, worker)
    case 2: try HolesPass(shaped: shaped(UInt16.self)).run(region, worker)
    case 4: try HolesPass(shaped: shaped(UInt32.self)).run(region, worker)
    default: try HolesPass(shaped: shaped(UInt64.self)).run(region, worker)
    }
  }

  /// Blocks of background with the runs that they dropped.
  func restored(
    _ blocks: [LabelledBlock], _ region: Region, _ worker: Worker
  ) throws -> [LabelledBlock] {
    var blocks = blocks
    let again = try background(region, worker).blocks
    for index in blocks.indices { blocks[index].takeRuns(of: again[index]) }
    return blocks
  }

  /// Writes a region with its holes filled.
  func write(
    _ region: Region, _ holes: [LabelledBlock], into writer: PyramidWriter, _ worker: Worker
  ) throws {
    if !plan.shapesLabels {
      return try FilteredLabelPass(plan: plan, numbers: numbers)
        .run(region, into: writer, worker)
    }
    switch writer.layouts[0].dataType.byteCount {
    case 1:
      try ShapedLabelPass(shaped: shaped(UInt8.self)).run(region, holes, into: writer, worker)
    case 2:
      try ShapedLabelPass(shaped: shaped(UInt16.self)).run(region, holes, into: writer, worker)
    case 4:
      try ShapedLabelPass(shaped: shaped(UInt32.self)).run(region, holes, into: writer, worker)
    default:
      try ShapedLabelPass(shaped: shaped(UInt64.self)).run(region, holes, into: writer, worker)
    }
  }
}

import OMGrid
import OMJSON
import OMTask
import OMZarr
import Synchronization

// Label images whose labels are those of another one: counted first, then written again.

extension ImageRun {
  /// Whether label images are made of the labels of others.
  var filtersLabels: Bool { setup.labels.contains { $0.recipe.filter != nil } }

  /// Whether connected parts of labels are looked at before labels are counted.
  var clearsParts: Bool { setup.labels.contains(where: \.clearsParts) }

  /// Writes the label images that keep some labels of another one.
  ///
  /// *Collective*.
  func writeFiltered() throws -> [MadeImage] {
    let plans = Array(setup.labels.indices)
    let parts = clearsParts ? try findParts() : KeptParts(tables: try countLabels())
    let tables = parts.tables
    var writers: [Int: PyramidWriter] = [:]
    var results: [LabelSelection.Result] = []
    var kept = 0
    for index in plans {
      let plan = setup.labels[index]
      guard let filter = plan.recipe.filter else { continue }
      let result = try LabelSelection(filter: filter, communicator: engine.communicator)
        .run(tables[index])
      try check(plan, holds: result.largest)
      results.append(result)
      kept += tables[index].labels.count * LabelTable.bytesPerLabel
      writers[index] = try makeWriter(index, plan.expectedDataType)
    }
    let holes = try findHoles(results.map(\.numbers), beside: kept)
    let open = own.filter { checkpoint?.isDone(.labels, $0) != true }
    let (known, selections) = (writers, results)
    progress.begin(.labels)
    progress.skip(own.count - open.count)
    try engine.agree {
      try engine.walk(open.count, most: budget.workers, name: names(open)) { index, worker in
        let piece = pieces[open[index]]
        guard let writer = known[piece.plan] else { return }
        let plan = setup.labels[piece.plan]
        let labels = ChosenLabels(plan: plan, numbers: selections[piece.plan].numbers)
        if let kept = parts.blocks[open[index]] {
          let blocks = try painted(kept, plan, piece.region, labels.numbers, worker)
          try LabelPass(plan: plan).run(piece.region, blocks, into: writer, worker)
        } else {
          let blocks = try holes[open[index]].map { (parts) throws in
            try parts.droppedRuns
              ? labels.restored(parts.blocks, piece.region, worker) : parts.blocks
          }
          try labels.write(piece.region, blocks ?? [], into: writer, worker)
        }
        try checkpoint?.finish(.labels, open[index])
        progress.add(piece, plan)
      }
    }
    try checkCoverage(.labels, of: plans)
    try completeLevels(writers)
    let counts = try summed(
      plans.map {
        VoxelCounts(
          processed: engine.rank == 0 ? setup.plans[$0].processedVoxels : 0,
          foreground: tables[$0].foreground)
      })
    return plans.compactMap { index in
      guard let writer = writers[index] else { return nil }
      return MadeImage(
        layouts: writer.layouts,
        label: LabelFacts(
          objects: results[index].count, counts: counts[index], thresholds: [],
          hasConstantScope: false))
    }
  }

  /// The labels of this rank's regions, by label image.
  func countLabels() throws -> [LabelTable] {
    let found = Mutex(setup.labels.map { _ in LabelTable() })
    progress.begin(.objects)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers, name: names(own)) { index, worker in
        let piece = pieces[own[index]]
        let plan = setup.labels[piece.plan]
        let table = try labels(own[index], plan, worker)
        try found.withLock { tables throws(Fault) in
          tables[piece.plan].add(table)
          try checkRoom(tables, plan)
        }
        progress.add(piece, plan)
      }
    }
    return found.withLock { $0 }
  }

  /// Refuses more labels than fit in memory.
  func checkRoom(_ tables: [LabelTable], _ plan: LabelPlan) throws(Fault) {
    let count = tables.reduce(0) { $0 + $1.labels.count }
    if count * LabelTable.bytesPerLabel <= budget.betweenPasses { return }
    throw Fault(
      .limit, plan.source.path,
      "more than \(count - 1) labels do not fit in the memory that is left",
      hint: "give more with --memory, or spread the image over more ranks")
  }

  /// The labels of a piece: as an earlier invocation counted them, or counted now and kept.
  private func labels(
    _ number: Int, _ plan: LabelPlan, _ worker: Worker
  ) throws -> LabelTable {
    if let bytes = checkpoint?.partial(.objects, number),
      let known = try? LabelTable(unpacking: bytes)
    {
      return known
    }
    let pass = LabelTablePass(
      plan: plan, border: plan.recipe.filter?.border, halo: plan.labelHalo)
    let table = try pass.run(pieces[number].region, worker)
    try checkpoint?.keep(.objects, number, limit: pieces[number].keptBytes(plan)) {
      table.packed()
    }
    return table
  }

  /// Refuses a type that does not have all numbers, before anything is written.
  private func check(_ plan: LabelPlan, holds largest: UInt64) throws(Fault) {
    let type = plan.expectedDataType
    guard let known = LabelType(rawValue: type.rawValue), largest > known.largest else { return }
    throw Fault(
      .usage, plan.name,
      "`dtype` is `\(type.rawValue)`, which counts to \(known.largest), but a label is \(largest)",
      hint: "take a wider `--dtype`, or `--relabel`")
  }
}

import OMGrid
import OMJSON
import OMObjects
import OMTask
import Synchronization

// Connected parts of labels: those at the border go before labels are counted.

extension ImageRun {
  /// What became of the parts of labels of this rank's regions.
  struct KeptParts {
    /// For each own piece its blocks; the number of a part is 0 when it goes.
    var blocks: [Int: RegionParts] = [:]
    /// The labels that are left, by label image.
    var tables: [LabelTable]
  }

  /// Finds the parts of labels of this rank's regions, and which of them touch the border.
  ///
  /// *Collective*.
  ///
  /// - Throws: What reading throws, and `limit` when the parts do not fit in memory.
  func findParts() throws -> KeptParts {
    var all = try ownParts()
    for (index, plan) in setup.labels.enumerated() {
      try resolve(plan, own.filter { pieces[$0].plan == index }, &all.blocks)
      for piece in own where pieces[piece].plan == index {
        for block in all.blocks[piece]?.blocks ?? [] { all.tables[index].add(keptPartsOf: block) }
      }
    }
    // Ranks have labels of their own: one that gives up takes the others along.
    let tables = all.tables
    try engine.agree { for plan in setup.labels { try checkRoom(tables, plan) } }
    return all
  }

  /// Finds the parts of labels of this rank's regions.
  func ownParts() throws -> KeptParts {
    let found = Mutex(KeptParts(tables: setup.labels.map { _ in LabelTable() }))
    let store = RunStore(limit: budget.betweenPasses)
    progress.begin(.objects)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers, name: names(own)) { index, worker in
        let piece = pieces[own[index]]
        let plan = setup.labels[piece.plan]
        let objects = try parts(own[index], plan, worker)
        let kept = try store.keep(objects.blocks, in: plan.partGrid, mayDropRuns: true)
        found.withLock {
          $0.blocks[own[index]] = kept
          $0.tables[piece.plan].foreground += objects.counts.foreground
        }
        progress.add(piece, plan)
      }
    }
    return found.withLock { $0 }
  }

  /// The parts of a piece: as an earlier invocation found them, or found now and kept.
  private func parts(
    _ number: Int, _ plan: LabelPlan, _ worker: Worker
  ) throws -> RegionObjects {
    if let bytes = checkpoint?.partial(.objects, number),
      let known = try? RegionObjects(unpacking: bytes)
    {
      return known
    }
    let found = try plan.labelParts(pieces[number].region, worker)
    try checkpoint?.keep(.objects, number, limit: pieces[number].keptBytes(plan)) {
      found.packed()
    }
    return found
  }

  private func resolve(
    _ plan: LabelPlan, _ own: [Int], _ all: inout [Int: RegionParts]
  ) throws(Fault) {
    var blocks = own.flatMap { all[$0]?.blocks ?? [] }
    _ = try ObjectResolution(
      grid: plan.partGrid,
      rules: ObjectRules(connectivity: .full, clearsBorder: true, numbers: false), order: 3,
      communicator: engine.communicator
    ).resolve(&blocks, own.flatMap { all[$0]?.openings ?? [] })
    var next = 0
    for piece in own {
      let count = all[piece]?.blocks.count ?? 0
      all[piece]?.blocks = Array(blocks[next..<next + count])
      all[piece]?.openings = []
      next += count
    }
  }

  /// The blocks of a piece, ready to be painted with the numbers of labels.
  func painted(
    _ parts: RegionParts, _ plan: LabelPlan, _ region: Region, _ numbers: [LabelKey: UInt64],
    _ worker: Worker
  ) throws -> [LabelledBlock] {
    var blocks = parts.blocks
    if parts.droppedRuns {
      let again = try plan.labelParts(region, worker).blocks
      for index in blocks.indices { blocks[index].takeRuns(of: again[index]) }
    }
    for index in blocks.indices {
      let volume = UInt64(blocks[index].block.volume)
      for (part, label) in blocks[index].labels.enumerated()
      where blocks[index].numbers[part] != 0 {
        blocks[index].numbers[part] = numbers[LabelKey(label: label, volume: volume)] ?? 0
      }
    }
    return blocks
  }
}

extension LabelTable {
  /// Adds the parts of a block that stay.
  fileprivate mutating func add(keptPartsOf block: LabelledBlock) {
    for (part, label) in block.labels.enumerated() where block.numbers[part] != 0 {
      let key = LabelKey(label: label, volume: UInt64(block.block.volume))
      labels[key, default: LabelFactsPart()].join(
        LabelFactsPart(count: UInt64(block.counts[part])))
    }
  }
}

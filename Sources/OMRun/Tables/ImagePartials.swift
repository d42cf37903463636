import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMTask
import OMZarr
import Synchronization

// A table of what regions give: found region by region, merged over threads and ranks, written by rank 0.

extension ImageRun {
  /// Looks at every region and stages the table of what was found.
  ///
  /// *Collective*.
  func writePartials(_ plan: PartialPlan) throws -> MadeImage {
    let (mine, share) = try ownPartials(plan)
    let all = try gathered(
      mine, size: (mine.byteCount, mine.rowCount), limit: share, tooMany: plan.tooManyRows,
      pack: { $0.packed() }
    ) { (all, packed) throws(Fault) in try all.add(packed: packed) }
    let facts = try engine.agree { () throws -> TableFacts? in
      guard engine.rank == 0 else { return nil }
      try checkPieces(all.pieces, plan.name)
      return try write(
        try table(of: all, plan), as: plan.recipe.backend, isIndexed: plan.recipe.label != nil)
    }
    var made = try shared(facts)
    made.regions = plan.regionRecord
    return MadeImage(layouts: [], table: made)
  }

  /// Looks at the own pieces and keeps what is found in each.
  ///
  /// *Collective*.
  ///
  /// - Returns: All that was found, and the bytes that it may take.
  func ownPartials(_ plan: PartialPlan) throws -> (found: PartialTable, limit: Int) {
    let merged = Mutex(PartialTable(plan.recipe.traits))
    // What all ranks found, as it comes from other ranks, as one table, and as that is written.
    let share = budget.betweenPasses / 4
    progress.begin(.partials)
    try engine.agree {
      try engine.walk(own.count, most: budget.workers, name: names(own)) { index, worker in
        let found = try find(own[index], plan, share, worker)
        try merged.withLock { all throws(Fault) in
          try all.add(found)
          if all.byteCount > share { throw plan.tooManyRows(all.rowCount, share) }
        }
        progress.add(pieces[own[index]], plan)
      }
    }
    return (merged.withLock { $0 }, share)
  }

  /// The table of all that was found; a fault names it.
  private func table(of all: PartialTable, _ plan: PartialPlan) throws(Fault) -> Table {
    do throws(Fault) {
      return try all.table(hasTime: plan.axes.time != nil)
    } catch {
      throw Fault(
        error.kind, "\(plan.title) of \(setup.image.location.displayName)", error.message,
        facts: error.facts, hint: error.hint)
    }
  }

  /// What is in a region: as an earlier invocation found it, or found now and kept.
  private func find(
    _ number: Int, _ plan: PartialPlan, _ share: Int, _ worker: Worker
  ) throws -> [FoundRows] {
    if let bytes = checkpoint?.partial(.partials, number),
      let known = try? [FoundRows](unpacking: bytes, plan.recipe.traits)
    {
      return known
    }
    let found = try PartialPass(plan: plan, limit: share).run(pieces[number].region, worker)
    // Finding it again may take a program long.
    try checkpoint?.keep(.partials, number, limit: .max) { found.packed() }
    return found
  }
}

/// Lets a finder look at a region, volume by volume.
struct PartialPass: Sendable {
  let plan: PartialPlan
  /// Bytes that what is found in a region may take.
  let limit: Int

  /// Looks at one region.
  func run(_ region: Region, _ worker: Worker) throws -> [FoundRows] {
    let work = TileWork(source: plan.source, axes: plan.axes, damage: plan.damage)
    let finder = plan.recipe.finder
    var found: [FoundRows] = []
    var byteCount = 0
    for part in plan.parts(of: region) {
      let core = (origin: plan.axes.position(part.origin), shape: plan.axes.vector(part.shape))
      let rows: [FoundRows] = try work.read(part, halo: finder.halo, worker) {
        (box, voxels) throws(Fault) in
        let metadata = plan.source.metadata
        let tile = RegionTile(
          dataType: metadata.dataType, voxels: voxels, origin: plan.axes.position(box.origin),
          shape: plan.axes.vector(box.shape), volume: plan.axes.vector(metadata.shape),
          time: plan.axes.time.map { part.origin[$0] })
        return try finder.find(in: tile, core: core, scratch: worker.scratch)
      }
      found += rows
      // What histograms find becomes smaller when it is merged.
      if plan.recipe.traits.kind == .histogram { continue }
      for row in rows { byteCount += row.byteCount }
      if byteCount > limit {
        throw plan.tooManyRows(found.reduce(0) { $0 + $1.rowCount }, limit)
      }
    }
    return found
  }
}

import OMGrid
import OMJSON
import OMTask
import OMZarr

// The coarser levels of images that exist, of their finest levels.

extension ImageRun {
  /// Writes the coarser levels of an image and of the label images that change with it.
  ///
  /// *Collective*.
  func writeLevels() throws -> [MadeImage] {
    let plans = setup.levels
    let writers = try levelWriters()
    try walkLevels(writers)
    try checkCoverage(.tiles, of: Array(plans.indices))
    for (index, plan) in plans.enumerated() {
      for (writer, cascade) in zip(writers[index], plan.cascades) {
        try complete(index, plan, writer, cascade.levels)
      }
    }
    return try plans.map { plan throws(Fault) in
      MadeImage(layouts: try plan.written(plan.expectedDataType))
    }
  }

  /// Reads this rank's regions of the finest levels and writes what they give of the coarser ones.
  func walkLevels(_ writers: [[PyramidWriter]]) throws {
    let plans = setup.levels
    try walkTiles(plans) { piece, worker in
      try LevelsPass(plan: plans[piece.plan])
        .run(piece.region, into: writers[piece.plan], worker)
    }
  }

  /// What makes the coarser levels of all plans.
  func levelWriters() throws -> [[PyramidWriter]] {
    try setup.levels.indices.map { try levelWriters(of: $0) }
  }

  /// What makes the coarser levels of a plan: one cascade, or one writer for each level.
  private func levelWriters(of index: Int) throws -> [PyramidWriter] {
    let plan = setup.levels[index]
    let layouts = try plan.layouts(plan.expectedDataType)
    let finished = finishedUnits(index, levels: layouts.count)
    guard let committer, let checkpoint else {
      throw Fault(.internal, "", "nothing takes what is made")
    }
    return plan.cascades.map { levels, ratios in
      PyramidWriter(
        layouts: levels.map { layouts[$0] }, ratios: ratios, downsampling: plan.downsampling,
        finished: finished.isEmpty ? [] : levels.map { finished[$0] }, storesFinest: false
      ) { place, unit, bytes throws(Fault) in
        let level = levels[place]
        if let bytes {
          try committer.publish(
            label: index, level: level, key: layouts[level].unitKey(unit), bytes: bytes)
        }
        let number = layouts[level].unitGrid.number(at: unit)
        checkpoint.published(UnitPlace(plan: index, level: level, number: number), bytes)
      }
    }
  }

  /// Makes what is missing of some levels.
  private func complete(
    _ index: Int, _ plan: LevelsPlan, _ writer: PyramidWriter, _ levels: [Int]
  ) throws {
    guard let committer, let checkpoint else { return }
    var completion = LevelCompletion(writer: writer, engine: engine) { place in
      if levels[place] == 0 { return plan.source }
      return try committer.staged(
        label: index, level: levels[place], layout: writer.layouts[place])
    }
    completion.damage = plan.damage
    completion.unitIsDone = { try checkpoint.flush() }
    try completion.run()
  }
}

import OMGrid
import OMJSON
import OMTask
import OMZarr
import Synchronization

// The derived image of an image, in one pass over its regions.

extension ImageRun {
  /// Writes a derived image.
  ///
  /// *Collective*.
  func writeTiles(_ plan: DerivedPlan) throws -> MadeImage {
    let writer = try makeWriter(0, plan.recipe.dataType)
    let counted = try walkTiles(plan, writer)
    try checkCoverage(.tiles, of: [0])
    try completeLevels([0: writer])
    var made = MadeImage(layouts: writer.layouts)
    if plan.recipe.countedNote != nil { made.counted = try summed([counted])[0] }
    return made
  }

  /// Makes the own pieces of a derived image, and coarser levels as far as they go.
  ///
  /// - Returns: The voxels of the own pieces that kernels counted.
  func walkTiles(_ plan: DerivedPlan, _ writer: PyramidWriter) throws -> Int {
    let open = own.filter { checkpoint?.isDone(.tiles, $0) != true }
    progress.begin(.tiles)
    progress.skip(own.count - open.count)
    let counted = Mutex(own.reduce(0) { $0 + (checkpoint?.counts(.tiles, $1).foreground ?? 0) })
    try engine.agree {
      try engine.walk(open.count, most: budget.workers, name: names(open)) { index, worker in
        let piece = pieces[open[index]]
        var count = 0
        if case .projection(let projection) = plan.recipe.making, let axis = plan.collapsed {
          let pass = ProjectionPass(plan: plan, projection: projection, axis: axis)
          try pass.run(piece.region, into: writer, worker)
        } else {
          count = try TilePass(plan: plan).run(piece.region, into: writer, worker)
          counted.withLock { $0 += count }
        }
        try checkpoint?.finish(.tiles, open[index], VoxelCounts(foreground: count))
        progress.add(piece, plan)
      }
    }
    return counted.withLock { $0 }
  }

  /// Writes the levels of a copy.
  ///
  /// *Collective*.
  func writeCopies(_ copies: [CopyPlan]) throws -> [MadeImage] {
    let writers = try copyWriters(copies)
    try walkCopies(copies, writers)
    try checkCoverage(.tiles, of: Array(copies.indices))
    if let last = writers.indices.last { try completeLevels([last: writers[last]]) }
    return [MadeImage(layouts: writers.flatMap(\.layouts))]
  }

  /// A writer for each level of a copy.
  func copyWriters(_ copies: [CopyPlan]) throws -> [PyramidWriter] {
    try copies.indices.map { try makeWriter($0, copies[$0].expectedDataType) }
  }

  /// Copies the own pieces.
  func walkCopies(_ copies: [CopyPlan], _ writers: [PyramidWriter]) throws {
    try walkTiles(copies) { piece, worker in
      try CopyPass(plan: copies[piece.plan]).run(piece.region, into: writers[piece.plan], worker)
    }
  }

  /// Does the own pieces that no earlier invocation has done, one by one.
  ///
  /// - Parameters:
  ///   - plans: What pieces are of.
  ///   - make: Makes a piece.
  /// - Throws: What making a piece throws, on all ranks.
  func walkTiles(
    _ plans: [any ArrayPlan], _ make: @escaping @Sendable (Piece, Worker) throws -> Void
  ) throws {
    let open = own.filter { checkpoint?.isDone(.tiles, $0) != true }
    progress.begin(.tiles)
    progress.skip(own.count - open.count)
    try engine.agree {
      try engine.walk(open.count, most: budget.workers, name: names(open)) { index, worker in
        let piece = pieces[open[index]]
        try make(piece, worker)
        try checkpoint?.finish(.tiles, open[index])
        progress.add(piece, plans[piece.plan])
      }
    }
  }
}

import OMGrid
import OMTask
import OMZarr

/// How much memory a process needs at most for some label images.
struct MemoryEstimate: Sendable {
  /// Program, libraries and threads.
  private static let base = 40 << 20

  /// Bytes of one process.
  let bytes: Int

  init(plans: [LabelPlan], options: RunOptions, ranks: Int) {
    var worker = 0
    var shared = 0
    for plan in plans {
      worker = max(worker, MemoryEstimate.worker(plan, options))
      shared += MemoryEstimate.shared(plan, options, ranks)
    }
    bytes = MemoryEstimate.base + options.threads * worker + shared
  }

  /// Buffers of one worker: encoded and decoded chunks, the chunk that is written with the pieces
  /// for coarser levels, the mask with its runs, and the region that is kept between two looks.
  private static func worker(_ plan: LabelPlan, _ options: RunOptions) -> Int {
    let metadata = plan.source.metadata
    let input = metadata.innerChunkShape.reduce(metadata.dataType.byteCount, *)
    let label = plan.expectedDataType.byteCount
    let output = metadata.innerChunkShape.reduce(label, *)
    var bytes = 2 * input + 4 * output + (4 << 20)
    if plan.recipe.statistics != nil { bytes += 2 << 20 }
    if plan.recipe.objects != nil {
      let cell = plan.grid.cells.cellShape.reduce(1, *)
      bytes += cell / 8 + cell / 2
      if plan.regionsHoldScopes(memory: options.memory / max(1, options.threads)) {
        bytes += cell * metadata.dataType.byteCount
      }
    }
    return bytes
  }

  /// What workers share: write units that are not complete yet, and components between passes.
  private static func shared(_ plan: LabelPlan, _ options: RunOptions, _ ranks: Int) -> Int {
    let unit = plan.grid.units.cellShape.reduce(plan.expectedDataType.byteCount, *)
    let levels = min(plan.sources.count, 4)
    let open = unit * (options.threads + levels)
    guard plan.recipe.objects != nil else { return open }
    let voxels = plan.processedVoxels / max(1, ranks)
    // A run of two voxels in every eight is far above what images show; the limit is enforced.
    return open + min(options.memory / 2, voxels * 2)
  }
}

import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMTask
import OMZarr

/// How the memory of a process is shared out while an image is done.
///
/// Workers and unfinished write units come first; what is left may hold components and runs
/// between two passes. With little memory fewer workers run at once; when even one does not fit,
/// the image is refused before anything is written.
struct MemoryBudget: Sendable {
  /// Workers that may run at once.
  let workers: Int
  /// Bytes that components and their runs may take between two passes.
  let betweenPasses: Int
  /// Bytes of the process that are in use at most.
  let total: Int

  /// Program, libraries and small things.
  private static let base = 24 << 20
  /// The least that is left for components.
  private static let least = 4 << 20

  /// Shares out memory.
  ///
  /// - Parameters:
  ///   - plans: The label images of one image.
  ///   - memory: Bytes that may be used.
  ///   - wanted: Workers that want to run.
  ///   - ranks: Ranks that share the regions.
  /// - Throws: A fault of kind `limit` when one worker does not fit.
  init(
    _ plans: [any ArrayPlan], memory: Int, workers wanted: Int, ranks: Int
  ) throws(Fault) {
    let share = memory / max(1, wanted)
    let worker = plans.map { $0.workerBytes(share: share) + $0.sourceBytes }.max() ?? 0
    let units = plans.reduce(0) { $0 + $1.openUnitBytes }
    let finds = plans.contains { $0.findsObjects }
    let fixed = MemoryBudget.base + units + (finds ? MemoryBudget.least : 0)
    let fitting = worker == 0 ? wanted : (memory - fixed) / worker
    // A chunk may take a quarter of the memory, whatever the codecs between do with it.
    let quarter = 4 * (plans.map(\.source.metadata.pipeline.decodedByteCount).max() ?? 0)
    if fitting < 1 || quarter > memory {
      // Rounded up: what the text asks for must be enough.
      let needed = (max(quarter, fixed + worker) + (1 << 20) - 1) >> 20
      throw Fault(
        .limit, "--memory",
        "one worker needs \(needed) MiB, there are \(memory >> 20) MiB",
        facts: ["a region holds \(plans.first?.grid.cells.cellShape ?? []) voxels"],
        hint: "give more with --memory, or use an image with smaller shards")
    }
    workers = min(wanted, fitting)
    let used = fixed + workers * worker
    // No more than the image can need; the limit is enforced.
    let most = plans.reduce(0) { $0 + $1.processedVoxels * $1.keptPerVoxel } / max(1, ranks)
    betweenPasses =
      finds ? min(memory - used + MemoryBudget.least, max(MemoryBudget.least, most)) : 0
    // Two bytes for each voxel hold what images show; tables of very many objects may need more.
    let voxels = plans.reduce(0) { $0 + $1.processedVoxels } / max(1, ranks)
    total = used + max(0, min(betweenPasses, 2 * voxels) - MemoryBudget.least)
  }

  /// Whether a worker may keep a whole region beside all else; otherwise one that gets a little more
  /// memory could keep the region and then not run.
  ///
  /// - Parameters:
  ///   - plan: The label image.
  ///   - memory: Bytes for the worker.
  /// - Returns: Whether both fit.
  static func holdsRegion(_ plan: LabelPlan, memory: Int) -> Bool {
    // Each channel may make a label image of its own at the same time.
    let labels = plan.droppedAxis.map { plan.source.metadata.shape[$0] } ?? 1
    return base + least + labels * plan.openUnitBytes + plan.workerBytes(keepsRegion: true)
      + plan.sourceBytes <= memory
  }
}

extension ArrayPlan {
  /// What a worker needs besides for where the image lies.
  var sourceBytes: Int {
    tiffBytes + arraysRead.reduce(0) { $0 + $1.bytesAhead + $1.requestBytes }
  }

  /// What decoding a TIFF takes besides: the tile or strip as it is stored, and colours before they are
  /// taken apart.
  private var tiffBytes: Int {
    inputs.map { input in
      input.store is TiffStore ? 2 * input.metadata.pipeline.decodedByteCount : 0
    }.max() ?? 0
  }

  /// Encoded and decoded chunks, the chunk that is written with the pieces for coarser levels, and
  /// the write unit in hand.
  var chunkBytes: Int {
    let metadata = source.metadata
    let input = metadata.innerChunkShape.reduce(metadata.dataType.byteCount, *)
    let output = metadata.innerChunkShape.reduce(expectedDataType.byteCount, *)
    let unit = grid.units.cellShape.reduce(expectedDataType.byteCount, *)
    return 2 * input + 3 * output + (2 << 20) + unit / shrinking
  }
}

extension LabelPlan {
  package func workerBytes(share: Int) -> Int {
    workerBytes(keepsRegion: regionsHoldScopes(memory: share))
  }

  /// Buffers of one worker: chunks, the mask with its runs, and the region that is kept between two
  /// looks.
  func workerBytes(keepsRegion: Bool) -> Int {
    var bytes =
      chunkBytes + smoothingBytes + tileBytes + admissionBytes + shapingBytes
      + partsBytes
    if recipe.statistics != nil { bytes += 2 << 20 }
    guard recipe.objects != nil else { return bytes }
    // One bit for each voxel, and a run of three numbers for every two dozen voxels.
    let cell = grid.cells.cellShape.reduce(1, *)
    bytes += cell / 8 + cell / 2
    if keepsRegion { bytes += cell * source.metadata.dataType.byteCount }
    return bytes
  }
}

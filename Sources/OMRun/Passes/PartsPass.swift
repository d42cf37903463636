import OMCodecs
import OMGrid
import OMObjects
import OMTask
import OMZarr

/// Finds the connected parts of the labels of a region.
///
/// `Label` is the unsigned type that is as wide as that of the labels.
struct PartsPass<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable> {
  let plan: LabelPlan

  /// Finds the parts, one block for each volume.
  func run(_ region: Region, _ worker: Worker) throws -> RegionObjects {
    var result = RegionObjects()
    for part in plan.parts(of: region) {
      let count = part.source.count
      let bytes = worker.voxels.replace(byteCount: count * MemoryLayout<Label>.stride)
      guard let start = bytes.baseAddress else { continue }
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      let labels = start.bindMemory(to: Label.self, capacity: max(1, count))
      let (origin, shape) = (
        plan.axes.position(part.source.origin), plan.axes.vector(part.source.shape)
      )
      try plan.forEachRun(part, worker) { lines, run in
        let row = (lines.z - origin.z) * shape.y + lines.y + run.row - origin.y
        let first = row * shape.x + lines.x + run.columns.lowerBound - origin.x
        (labels + first).update(
          repeating: Label(truncatingIfNeeded: run.label), count: run.columns.count)
      }
      let block = worker.labeller.parts(
        of: UnsafePointer(labels), block: plan.block(part), in: plan.partGrid, order: 3)
      result.counts.foreground += block.voxelCount
      result.blocks.append(block)
    }
    return result
  }
}

extension LabelPlan {
  /// Whether connected parts of labels go, not whole labels.
  var clearsParts: Bool { recipe.filter.map { $0.border != nil && $0.clearsParts } ?? false }

  /// The grid of blocks in which parts of labels are joined.
  var partGrid: BlockGrid {
    let grid = blockGrid
    // A single plane is no border: all labels would touch it.
    let hasDepth =
      recipe.filter?.border == .zyx && axes.space.count == 3
      && selection.bounds.shape[axes.space[0]] > 1
    return BlockGrid(
      volumes: grid.volumes, volumeShape: grid.volumeShape, gridShape: grid.gridShape,
      border: grid.border.withDepth(hasDepth))
  }

  /// Finds the connected parts of the labels of a region.
  func labelParts(_ region: Region, _ worker: Worker) throws -> RegionObjects {
    switch source.metadata.dataType.byteCount {
    case 1: try PartsPass<UInt8>(plan: self).run(region, worker)
    case 2: try PartsPass<UInt16>(plan: self).run(region, worker)
    case 4: try PartsPass<UInt32>(plan: self).run(region, worker)
    default: try PartsPass<UInt64>(plan: self).run(region, worker)
    }
  }

  /// Bytes that a worker needs to find the parts of labels: the region, and a run of three numbers and a
  /// label for every two dozen voxels.
  var partsBytes: Int {
    guard clearsParts else { return 0 }
    let region = zip(sourceCell, source.metadata.shape).reduce(1) { $0 * min($1.0, $1.1) }
    return region * source.metadata.dataType.byteCount + region
  }
}

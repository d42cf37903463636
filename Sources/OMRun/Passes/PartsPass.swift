import OMCodecs
import OMGrid
import OMJSON
import OMObjects
import OMTask
import OMZarr

/// Which voxels are one part.
struct PartRules {
  /// What voxels are taken for.
  enum Meaning {
    /// Labels: a number below 0 is a mistake.
    case labels
    /// Any numbers; only which are equal counts, and which are 0.
    case values
  }

  let meaning: Meaning
  /// The blocks among which parts are joined afterwards.
  let grid: BlockGrid
  /// In how many coordinates two neighbours may differ, 1…3.
  let order: Int
  /// Whether parts at the border must be known.
  let findsBorder: Bool
}

/// Finds the connected parts of equal voxels of a region.
///
/// `Label` is the unsigned type that is as wide as the voxels.
struct PartsPass<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable> {
  let plan: LabelPlan
  let rules: PartRules

  /// Finds the parts, one block for each volume.
  ///
  /// Voxels that do not count are background, where the region was prepared.
  func run(_ region: Region, _ worker: Worker) throws -> RegionObjects {
    var result = RegionObjects()
    for part in plan.parts(of: region) {
      let count = part.source.count
      let bytes = worker.voxels.replace(byteCount: count * MemoryLayout<Label>.stride)
      guard let start = bytes.baseAddress else { continue }
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      let voxels = start.bindMemory(to: Label.self, capacity: max(1, count))
      switch rules.meaning {
      case .labels: try takeLabels(part, worker, voxels)
      case .values: try takeValues(part, worker, voxels)
      }
      let block = worker.labeller.parts(
        of: UnsafePointer(voxels), block: plan.block(part), in: rules.grid, order: rules.order,
        findsBorder: rules.findsBorder)
      result.counts.foreground += block.voxelCount
      result.blocks.append(block)
    }
    return result
  }

  private func takeLabels(
    _ part: VolumePart, _ worker: Worker, _ room: UnsafeMutablePointer<Label>
  ) throws {
    let rows = BufferRows(part, plan.axes)
    try plan.forEachRun(part, worker) { lines, run in
      (room + rows.first(of: lines, row: run.row) + run.columns.lowerBound).update(
        repeating: Label(truncatingIfNeeded: run.label), count: run.columns.count)
    }
  }

  private func takeValues(
    _ part: VolumePart, _ worker: Worker, _ room: UnsafeMutablePointer<Label>
  ) throws {
    let rows = BufferRows(part, plan.axes)
    let fill = plan.source.metadata.fillValue.withUnsafeBytes {
      $0.loadUnaligned(as: Label.self)
    }
    try plan.visit(part, worker) { lines in
      for row in 0..<lines.rowCount {
        let line = room + rows.first(of: lines, row: row)
        if let voxels = lines.voxels?.assumingMemoryBound(to: Label.self) {
          line.update(from: voxels + row * lines.rowStride, count: lines.rowLength)
        } else {
          line.update(repeating: fill, count: lines.rowLength)
        }
        guard let admitted = lines.admitted else { continue }
        let counts = admitted.start + row * admitted.stride
        for index in 0..<lines.rowLength where counts[index] == 0 { line[index] = 0 }
      }
    }
  }
}

/// Where rows lie in a buffer that holds the part of one volume in C order.
private struct BufferRows {
  private let origin: Vector3
  private let shape: Vector3

  init(_ part: VolumePart, _ axes: ImageAxes) {
    (origin, shape) = (axes.position(part.source.origin), axes.vector(part.source.shape))
  }

  /// The place of the first voxel of a row of some lines.
  func first(of lines: PlaneLines, row: Int) -> Int {
    ((lines.z - origin.z) * shape.y + lines.y + row - origin.y) * shape.x + lines.x - origin.x
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
    try parts(
      region, PartRules(meaning: .labels, grid: partGrid, order: 3, findsBorder: true), worker)
  }

  /// Finds the components of a region whose voxels have one value each.
  ///
  /// - Throws: What reading throws, and `unsupported` for voxels that are no whole numbers.
  func equalParts(
    _ region: Region, _ rules: ObjectRules, _ worker: Worker
  ) throws -> RegionObjects {
    if source.metadata.dataType.isFloat {
      throw Fault(
        .unsupported, source.path,
        "voxels are \(source.metadata.dataType.rawValue), only whole numbers are compared")
    }
    return try parts(
      region,
      PartRules(
        meaning: .values, grid: blockGrid, order: rules.connectivity.order,
        findsBorder: rules.clearsBorder), worker)
  }

  private func parts(
    _ region: Region, _ rules: PartRules, _ worker: Worker
  ) throws -> RegionObjects {
    switch source.metadata.dataType.labelType {
    case .uint8: try PartsPass<UInt8>(plan: self, rules: rules).run(region, worker)
    case .uint16: try PartsPass<UInt16>(plan: self, rules: rules).run(region, worker)
    case .uint32: try PartsPass<UInt32>(plan: self, rules: rules).run(region, worker)
    default: try PartsPass<UInt64>(plan: self, rules: rules).run(region, worker)
    }
  }

  /// Bytes that a worker needs to find the parts of labels: the region, and a run of three numbers and a
  /// label for every two dozen voxels.
  var partsBytes: Int {
    guard clearsParts || recipe.objects?.comparesValues == true else { return 0 }
    let region = zip(sourceCell, source.metadata.shape).reduce(1) { $0 * min($1.0, $1.1) }
    return region * source.metadata.dataType.byteCount + region
  }
}

import OMCodecs
import OMGrid
import OMTask
import OMZarr

/// The labels of a box once they are chosen, numbered and grown, with holes as they are.
///
/// `Label` is the type of the label image to make.
struct ShapedLabels<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable> {
  let plan: LabelPlan
  /// For each label that stays its number.
  let numbers: [LabelKey: UInt64]

  /// Labels of a box.
  struct Box {
    /// The voxels, in axes of the image.
    let region: Region
    let shape: Vector3
    let labels: UnsafeMutablePointer<Label>
  }

  /// Makes the labels of a part and of some voxels around it.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - margin: How many voxels around it, cut to the selection.
  ///   - worker: The worker at hand; the labels lie in its `voxels`, or in its `part`.
  /// - Returns: The labels; nil without memory.
  /// - Throws: What reading throws.
  func make(_ part: VolumePart, margin: Vector3, _ worker: Worker) throws -> Box? {
    let wanted = plan.grown(part, by: margin)
    guard let expansion = plan.recipe.filter?.expansion else {
      return try read(wanted, worker, worker.part)
    }
    guard let outer = try read(plan.grown(wanted, by: expansion.halo), worker, worker.voxels)
    else { return nil }
    let size = wanted.source.count * MemoryLayout<Label>.stride
    guard let start = worker.part.replace(byteCount: size).baseAddress else { return nil }
    let (low, here) = (
      plan.axes.position(outer.region.origin), plan.axes.position(wanted.source.origin)
    )
    let made = Box(
      region: wanted.source, shape: plan.axes.vector(wanted.source.shape),
      labels: start.bindMemory(to: Label.self, capacity: max(1, wanted.source.count)))
    guard let type = LabelType(rawValue: plan.expectedDataType.rawValue) else { return nil }
    expansion.grow(
      type, outer.labels, outer.shape, into: made.labels, made.shape,
      at: Vector3(here.z - low.z, here.y - low.y, here.x - low.x), scratch: worker.scratch)
    return made
  }

  /// Reads labels and gives them their numbers.
  private func read(_ part: VolumePart, _ worker: Worker, _ room: ByteBuffer) throws -> Box? {
    let count = part.source.count
    let bytes = room.replace(byteCount: count * MemoryLayout<Label>.stride)
    guard let start = bytes.baseAddress else { return nil }
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    let labels = start.bindMemory(to: Label.self, capacity: max(1, count))
    let (origin, shape) = (
      plan.axes.position(part.source.origin), plan.axes.vector(part.source.shape)
    )
    var (last, number): (UInt64, UInt64) = (0, 0)
    try plan.forEachRun(part, worker) { lines, run in
      if run.label != last {
        last = run.label
        number = numbers[LabelKey(label: last, volume: UInt64(part.volume))] ?? 0
      }
      if number == 0 { return }
      let row = (lines.z - origin.z) * shape.y + lines.y + run.row - origin.y
      let first = row * shape.x + lines.x + run.columns.lowerBound - origin.x
      (labels + first).update(
        repeating: Label(truncatingIfNeeded: number), count: run.columns.count)
    }
    return Box(region: part.source, shape: shape, labels: labels)
  }
}

extension LabelPlan {
  /// Whether labels take other shapes, so that regions must be made with what is around them.
  var shapesLabels: Bool {
    recipe.filter.map { $0.expansion != nil || $0.holes != nil } ?? false
  }

  /// How far around its voxels a region must know the labels of the image that is read.
  var labelHalo: Vector3 {
    guard let filter = recipe.filter else { return Vector3(0, 0, 0) }
    let halo = filter.expansion?.halo ?? Vector3(0, 0, 0)
    let margin = holeMargin
    return Vector3(halo.z + margin.z, halo.y + margin.y, halo.x + margin.x)
  }

  /// How far around background one must look for the labels that enclose it.
  var holeMargin: Vector3 {
    guard let holes = recipe.filter?.holes else { return Vector3(0, 0, 0) }
    return Vector3(holes.axes == .zyx ? 1 : 0, 1, 1)
  }

  /// How often each voxel is decoded where labels are filtered: once to count, and once or twice with
  /// what is around regions.
  var filterDecodings: Double {
    let tile = axes.largest(sourceCell, halo: labelHalo, within: source.metadata.shape)
    let region = zip(sourceCell, source.metadata.shape).reduce(1) { $0 * min($1.0, $1.1) }
    let looks = recipe.filter?.holes == nil ? 2 : 3
    return Double(looks) * Double(tile.reduce(1, *)) / Double(region)
  }

  /// Bytes that a worker needs to give labels other shapes.
  var shapingBytes: Int {
    guard shapesLabels, let filter = recipe.filter else { return 0 }
    let size = expectedDataType.byteCount
    let shape = source.metadata.shape
    let region = zip(sourceCell, shape).reduce(1) { $0 * min($1.0, $1.1) }
    let inner = axes.largest(sourceCell, halo: holeMargin, within: shape).reduce(size, *)
    var bytes = inner + region * size
    if let expansion = filter.expansion {
      let outer = axes.largest(sourceCell, halo: labelHalo, within: shape)
      bytes += outer.reduce(size, *) + expansion.scratchByteCount(axes.vector(outer), size)
    }
    // One bit for each voxel, and a run of three numbers for every two dozen voxels.
    if filter.holes != nil { bytes += region / 8 + region / 2 }
    return bytes
  }
}

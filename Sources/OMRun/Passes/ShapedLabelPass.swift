import OMCodecs
import OMGrid
import OMObjects
import OMTask

/// Writes the labels of a region once they have their shapes.
struct ShapedLabelPass<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable> {
  let shaped: ShapedLabels<Label>

  /// Makes a region and writes it.
  ///
  /// - Parameters:
  ///   - region: The region.
  ///   - holes: Its background, with the labels that it becomes.
  ///   - writer: Takes the voxels.
  ///   - worker: The worker at hand.
  /// - Throws: What reading and writing throws.
  func run(
    _ region: Region, _ holes: [LabelledBlock], into writer: PyramidWriter, _ worker: Worker
  ) throws {
    let plan = shaped.plan
    let parts = plan.parts(of: region)
    if parts.isEmpty { return try writer.take(region, nil, worker) }
    let byteCount = MemoryLayout<Label>.stride
    let room = worker.made.replace(byteCount: region.count * byteCount)
    guard let made = room.baseAddress else { return }
    room.initializeMemory(as: UInt8.self, repeating: 0)
    let target = VoxelBox(region: region, start: made, elementByteCount: byteCount)
    for part in parts {
      guard let box = try shaped.make(part, margin: Vector3(0, 0, 0), worker) else { continue }
      if let block = holes.first(where: { $0.block.volume == part.volume }) {
        let shape = box.shape
        block.paint(Vector3(0, 0, 0), shape) { z, y, columns, number in
          let line = box.labels + (z * shape.y + y) * shape.x
          (line + columns.lowerBound).update(
            repeating: Label(truncatingIfNeeded: number), count: columns.count)
        }
      }
      target.copy(from: box.labels, part.label)
    }
    try writer.take(region, made, worker)
  }
}

import OMCodecs
import OMGrid
import OMObjects
import OMZarr

/// Writes the objects of a region: paints runs with their numbers, chunk by chunk.
struct LabelPass: Sendable {
  let plan: LabelPlan

  /// Writes a region.
  func run(
    _ region: Region, _ blocks: [LabelledBlock], into writer: PyramidWriter, _ worker: Worker
  ) throws {
    let layout = writer.layouts[0]
    let chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    let byteCount = layout.dataType.byteCount
    let byVolume = Dictionary(uniqueKeysWithValues: blocks.map { ($0.block.volume, $0) })
    try forEachPosition(in: chunks.cells(touching: region)) { position in
      let origin = zip(position, layout.chunkShape).map { $0 * $1 }
      let box = Region(origin: origin, shape: layout.chunkShape)
      let room = worker.chunk.replace(byteCount: box.count * byteCount)
      guard let target = room.baseAddress else { return }
      var painted = false
      for part in plan.parts(of: chunks.region(at: position)) {
        guard let block = byVolume[part.volume] else { continue }
        let painter = Painter(plan: plan, box: box, part: part, target: target)
        switch byteCount {
        case 1: painter.paint(block, room, &painted, UInt8.self)
        case 2: painter.paint(block, room, &painted, UInt16.self)
        case 4: painter.paint(block, room, &painted, UInt32.self)
        default: painter.paint(block, room, &painted, UInt64.self)
        }
      }
      try writer.take(
        level: 0, chunk: position, voxels: painted ? UnsafeRawPointer(target) : nil,
        worker: worker)
    }
  }
}

/// Paints the runs of one block that lie in one chunk.
private struct Painter {
  let plan: LabelPlan
  let box: Region
  let part: VolumePart
  let target: UnsafeMutableRawPointer

  /// Paints; the chunk is cleared before the first run, and not touched when there is none.
  func paint<Label: FixedWidthInteger & UnsignedInteger>(
    _ block: LabelledBlock, _ room: UnsafeMutableRawBufferPointer, _ painted: inout Bool,
    _: Label.Type
  ) {
    let strides = rowMajorStrides(box.shape)
    let rank = box.rank
    var base = 0
    for axis in 0..<rank - 1 {
      base += (part.label.origin[axis] - box.origin[axis]) * strides[axis]
    }
    let origin = plan.spatial(part.label.origin, missing: 0)
    let shape = plan.spatial(part.label.shape)
    let place = block.block.origin
    let planeStride = plan.axes.space.count == 3 ? strides[rank - 3] : 0
    let rowStride = strides[rank - 2]
    base += part.label.origin[rank - 1] - box.origin[rank - 1]
    let voxels = target.assumingMemoryBound(to: Label.self)
    let inBlock = Vector3(origin.z - place.z, origin.y - place.y, origin.x - place.x)
    block.paint(inBlock, shape) { z, y, columns, number in
      if !painted {
        room.initializeMemory(as: UInt8.self, repeating: 0)
        painted = true
      }
      let line = voxels + base + z * planeStride + y * rowStride
      (line + columns.lowerBound).update(
        repeating: Label(truncatingIfNeeded: number), count: columns.count)
    }
  }
}

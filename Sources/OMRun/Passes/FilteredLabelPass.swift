import OMCodecs
import OMGrid
import OMTask
import OMZarr

/// Writes the labels of a region that stay, with their numbers, chunk by chunk.
struct FilteredLabelPass: Sendable {
  let plan: LabelPlan
  let numbers: [LabelKey: UInt64]

  /// Reads a region again and writes it.
  func run(_ region: Region, into writer: PyramidWriter, _ worker: Worker) throws {
    let layout = writer.layouts[0]
    let chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    let byteCount = layout.dataType.byteCount
    try forEachPosition(in: chunks.cells(touching: region)) { position in
      let origin = zip(position, layout.chunkShape).map { $0 * $1 }
      let box = Region(origin: origin, shape: layout.chunkShape)
      let room = worker.chunk.replace(byteCount: box.count * byteCount)
      guard let target = room.baseAddress else { return }
      var isPainted = false
      for part in plan.parts(of: chunks.region(at: position)) {
        try paint(part, box, worker) { start, count, number in
          if !isPainted { room.initializeMemory(as: UInt8.self, repeating: 0) }
          isPainted = true
          switch byteCount {
          case 1: fill(target, start, count, UInt8(truncatingIfNeeded: number))
          case 2: fill(target, start, count, UInt16(truncatingIfNeeded: number))
          case 4: fill(target, start, count, UInt32(truncatingIfNeeded: number))
          default: fill(target, start, count, number)
          }
        }
      }
      try writer.take(
        level: 0, chunk: position, voxels: isPainted ? UnsafeRawPointer(target) : nil,
        worker: worker)
    }
  }

  /// Visits the runs of labels that stay: their first voxel in the chunk, their length and number.
  private func paint(
    _ part: VolumePart, _ box: Region, _ worker: Worker, _ body: (Int, Int, UInt64) -> Void
  ) throws {
    let strides = rowMajorStrides(box.shape)
    let rank = box.rank
    var base = 0
    for axis in 0..<rank {
      base += (part.label.origin[axis] - box.origin[axis]) * strides[axis]
    }
    let hasDepth = plan.axes.space.count == 3
    let planeStride = hasDepth ? strides[rank - 3] : 0
    let firstPlane = hasDepth ? part.label.origin[rank - 3] : 0
    var (last, number): (UInt64, UInt64) = (0, 0)
    try plan.forEachRun(part, worker) { lines, run in
      if run.label != last {
        last = run.label
        number = numbers[LabelKey(label: last, volume: UInt64(part.volume))] ?? 0
      }
      if number == 0 { return }
      let row = lines.y + run.row - part.label.origin[rank - 2]
      let column = lines.x + run.columns.lowerBound - part.label.origin[rank - 1]
      body(
        base + (lines.z - firstPlane) * planeStride + row * strides[rank - 2] + column,
        run.columns.count, number)
    }
  }

  private func fill<Label: FixedWidthInteger>(
    _ target: UnsafeMutableRawPointer, _ start: Int, _ count: Int, _ label: Label
  ) {
    (target.assumingMemoryBound(to: Label.self) + start).update(repeating: label, count: count)
  }
}

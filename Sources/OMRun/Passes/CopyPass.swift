import OMCodecs
import OMGrid
import OMJSON
import OMTask
import OMZarr

/// Copies a region of a level voxel by voxel, in another type where that is asked for.
struct CopyPass: Sendable {
  let plan: CopyPlan

  /// Reads a region and writes it, chunk by chunk where chunks fit, else as a whole.
  ///
  /// - Throws: What reading and writing throws, and a fault of kind `task` for a voxel that the type
  ///   of the copy does not have.
  func run(_ region: Region, into writer: PyramidWriter, _ worker: Worker) throws {
    guard plan.copiesByChunk else {
      let voxels = try copy(region, worker)
      return try writer.take(region, voxels, worker)
    }
    let layout = plan.layout
    let chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    worker.reader(of: plan.source, damage: plan.damage).expect {
      var boxes: [ExpectedBox] = []
      writer.forEachChunk(of: region) {
        boxes.append(ExpectedBox(plan.sourceBox(of: chunks.region(at: $0))))
      }
      return boxes
    }
    try writer.forEachChunk(of: region) { position in
      let cell = chunks.region(at: position)
      let voxels = try copy(cell, worker)
      if cell.shape == layout.chunkShape {
        return try writer.take(level: 0, chunk: position, voxels: voxels, worker: worker)
      }
      let byteCount = layout.dataType.byteCount
      let room = worker.chunk.replace(byteCount: layout.chunkShape.reduce(byteCount, *))
      guard let chunk = room.baseAddress else { return }
      room.initializeMemory(as: UInt8.self, repeating: 0)
      VoxelBox(
        region: Region(origin: cell.origin, shape: layout.chunkShape), start: chunk,
        elementByteCount: byteCount
      ).copy(from: voxels, cell)
      try writer.take(level: 0, chunk: position, voxels: chunk, worker: worker)
    }
  }

  /// The voxels of a box in the type and the order of the copy, valid until the next call.
  private func copy(_ box: Region, _ worker: Worker) throws -> UnsafeRawPointer {
    let source = plan.source.metadata.dataType
    let type = plan.layout.dataType
    let sourceBox = plan.sourceBox(of: box)
    var voxels = try room(worker.voxels, box, source)
    try worker.reader(of: plan.source, damage: plan.damage).read(sourceBox, into: voxels)
    if source != type {
      let copies = try room(worker.made, box, type)
      if let place = ExactCast(from: source, to: type).run(voxels, count: box.count, to: copies) {
        throw misfit(sourceBox, place, voxels, source, type)
      }
      voxels = copies
    }
    if let transposition = plan.transposition(box) {
      let ordered = try room(worker.part, box, type)
      transposition.restore(voxels, to: ordered, elementByteCount: type.byteCount)
      voxels = ordered
    }
    return UnsafeRawPointer(voxels)
  }

  /// Room for the voxels of a box.
  private func room(
    _ buffer: ByteBuffer, _ box: Region, _ type: DataType
  ) throws(Fault) -> UnsafeMutableRawPointer {
    let room = buffer.replace(byteCount: max(1, box.count) * type.byteCount)
    guard let start = room.baseAddress else {
      throw Fault(.internal, plan.source.path, "no memory for \(box)")
    }
    return start
  }

  private func misfit(
    _ box: Region, _ place: Int, _ voxels: UnsafeRawPointer, _ source: DataType, _ type: DataType
  ) -> Fault {
    var rest = place
    var position = box.origin
    for (axis, stride) in rowMajorStrides(box.shape).enumerated() {
      position[axis] += rest / stride
      rest %= stride
    }
    return Fault(
      .task, plan.source.path,
      "voxel \(position.map(String.init).joined(separator: ", ")) is "
        + "\(source.text(voxels + place * source.byteCount)), which \(type.rawValue) does not have",
      hint: "take a wider `--dtype`, or leave it out")
  }
}

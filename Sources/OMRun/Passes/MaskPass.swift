import OMCodecs
import OMGrid
import OMJSON
import OMTask
import OMZarr

/// Applies the kernels of a label image to the voxels of a region.
struct MaskPass: Sendable {
  let plan: LabelPlan
  let choices: Choices

  /// Writes the mask of a region chunk by chunk: read, compare, encode, all in cache.
  ///
  /// - Returns: How many voxels count, and how many of them are foreground.
  func run(_ region: Region, into writer: PyramidWriter, _ worker: Worker) throws -> VoxelCounts {
    let layout = writer.layouts[0]
    let chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    var foreground = 0
    try plan.prepare(region, worker)
    plan.expect(worker) {
      var parts: [VolumePart] = []
      writer.forEachChunk(of: region) { parts += plan.parts(of: chunks.region(at: $0)) }
      return parts
    }
    // Shards of the image, of the shape of a unit, are open one at a time, too.
    try writer.forEachChunk(of: region) { position in
      let parts = plan.parts(of: chunks.region(at: position))
      if parts.isEmpty {
        return try writer.take(level: 0, chunk: position, voxels: nil, worker: worker)
      }
      let origin = zip(position, layout.chunkShape).map { $0 * $1 }
      let box = Region(origin: origin, shape: layout.chunkShape)
      let room = worker.chunk.replace(byteCount: box.count * layout.dataType.byteCount)
      guard let target = room.baseAddress else { return }
      room.initializeMemory(as: UInt8.self, repeating: 0)
      for part in parts {
        foreground += try mask(part, worker, box, target, byteCount: layout.dataType.byteCount)
      }
      try writer.take(level: 0, chunk: position, voxels: target, worker: worker)
    }
    return VoxelCounts(processed: worker.admitted.count, foreground: foreground)
  }

  private func mask(
    _ part: VolumePart, _ worker: Worker, _ box: Region, _ target: UnsafeMutableRawPointer,
    byteCount: Int
  ) throws -> Int {
    let strides = rowMajorStrides(box.shape)
    let rank = box.rank
    var base = 0
    for axis in 0..<rank {
      base += (part.label.origin[axis] - box.origin[axis]) * strides[axis]
    }
    let planeStride = plan.axes.space.count == 3 ? strides[rank - 3] : 0
    let firstPlane = plan.axes.space.count == 3 ? part.label.origin[rank - 3] : 0
    var foreground = 0
    try plan.visit(part, worker) { lines in
      let start =
        base + (lines.z - firstPlane) * planeStride
        + (lines.y - part.label.origin[rank - 2]) * strides[rank - 2]
        + (lines.x - part.label.origin[rank - 1])
      foreground += try apply(part, lines, worker) { mask, row, count in
        let place = target + (start + row * strides[rank - 2]) * byteCount
        widen(mask, count, to: place, byteCount)
      }
    }
    return foreground
  }

  /// Makes the mask bytes of some lines and hands them on row by row.
  ///
  /// - Parameters:
  ///   - part: The part that holds the lines.
  ///   - lines: The lines.
  ///   - worker: The worker at hand.
  ///   - take: Gets the mask bytes of one row, the number of the row and their number.
  /// - Returns: The number of foreground voxels.
  /// - Throws: A fault of kind `task` for a voxel that is not a finite number.
  func apply(
    _ part: VolumePart, _ lines: PlaneLines, _ worker: Worker,
    _ take: (UnsafePointer<UInt8>, Int, Int) -> Void
  ) throws -> Int {
    let kernel = try choices.kernel(part, z: lines.z)
    let type = plan.source.metadata.dataType
    let count = lines.rowLength * lines.rowCount
    let room = worker.maskBytes.replace(byteCount: count)
    guard let start = room.baseAddress else { return 0 }
    let mask = start.assumingMemoryBound(to: UInt8.self)
    guard let voxels = lines.voxels else {
      return try applyToFill(kernel, part, lines, mask, take)
    }
    if type.isFloat, let place = refused(voxels, type, lines, worker) {
      throw plan.notFinite(part, lines, offset: place)
    }
    if lines.rowStride == lines.rowLength {
      kernel.mask(type, raw: voxels, into: mask, count: count)
    } else {
      for row in 0..<lines.rowCount {
        kernel.mask(
          type, raw: voxels + row * lines.rowStride * type.byteCount,
          into: mask + row * lines.rowLength, count: lines.rowLength)
      }
    }
    if let admitted = lines.admitted {
      for row in 0..<lines.rowCount {
        let (line, counts) = (mask + row * lines.rowLength, admitted.start + row * admitted.stride)
        for index in 0..<lines.rowLength { line[index] &= counts[index] }
      }
    }
    for row in 0..<lines.rowCount { take(mask + row * lines.rowLength, row, lines.rowLength) }
    return countOnes(mask, count)
  }

  /// The offset of a voxel that counts and is not finite.
  private func refused(
    _ voxels: UnsafeRawPointer, _ type: DataType, _ lines: PlaneLines, _ worker: Worker
  ) -> Int? {
    // Most often there is none at all.
    let place = firstNotFinite(voxels, type, lines)
    guard place != nil, lines.admitted != nil,
      let found = lines.gather(voxels, byteCount: type.byteCount, into: worker.gathered)
    else { return place }
    let one = PlaneLines(
      z: lines.z, y: lines.y, x: lines.x, rowLength: found.count, rowCount: 1, voxels: found.voxels,
      rowStride: found.count)
    return firstNotFinite(found.voxels, type, one).map(lines.offset(ofAdmitted:))
  }

  private func applyToFill(
    _ kernel: any MaskKernel, _ part: VolumePart, _ lines: PlaneLines,
    _ mask: UnsafeMutablePointer<UInt8>, _ take: (UnsafePointer<UInt8>, Int, Int) -> Void
  ) throws -> Int {
    let metadata = plan.source.metadata
    // The fill value is copied to aligned memory, as kernels expect it.
    let value = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { room -> UInt8? in
      room.copyBytes(from: metadata.fillValue)
      guard let fill = room.baseAddress else { return 0 }
      if metadata.dataType.isFloat {
        let one = PlaneLines(
          z: lines.z, y: lines.y, x: lines.x, rowLength: 1, rowCount: 1, voxels: nil, rowStride: 1)
        if firstNotFinite(fill, metadata.dataType, one) != nil { return nil }
      }
      var answer: UInt8 = 0
      kernel.mask(metadata.dataType, raw: fill, into: &answer, count: 1)
      return answer
    }
    guard let value else { throw plan.notFinite(part, lines, offset: 0) }
    if value == 0 { return 0 }
    if let admitted = lines.admitted {
      for row in 0..<lines.rowCount {
        take(admitted.start + row * admitted.stride, row, lines.rowLength)
      }
      return countOnes(admitted, lines.rowLength, lines.rowCount)
    }
    mask.update(repeating: 1, count: lines.rowLength)
    for row in 0..<lines.rowCount { take(mask, row, lines.rowLength) }
    return lines.rowLength * lines.rowCount
  }
}

/// Writes mask bytes as labels of a wider type, little-endian as this machine.
private func widen(
  _ mask: UnsafePointer<UInt8>, _ count: Int, to target: UnsafeMutableRawPointer, _ byteCount: Int
) {
  switch byteCount {
  case 1: target.copyMemory(from: mask, byteCount: count)
  case 2: widen(mask, count, target.assumingMemoryBound(to: UInt16.self))
  case 4: widen(mask, count, target.assumingMemoryBound(to: UInt32.self))
  default: widen(mask, count, target.assumingMemoryBound(to: UInt64.self))
  }
}

private func widen<Label: FixedWidthInteger>(
  _ mask: UnsafePointer<UInt8>, _ count: Int, _ target: UnsafeMutablePointer<Label>
) {
  for index in 0..<count { target[index] = Label(truncatingIfNeeded: mask[index]) }
}

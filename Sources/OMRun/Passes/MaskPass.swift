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
  /// - Returns: The number of foreground voxels.
  func run(_ region: Region, into writer: PyramidWriter, _ worker: Worker) throws -> Int {
    let layout = writer.layouts[0]
    let chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    var foreground = 0
    try plan.prepare(region, worker)
    try forEachPosition(in: chunks.cells(touching: region)) { position in
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
    return foreground
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
    if type.isFloat, let place = firstNotFinite(voxels, type, lines) {
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
    for row in 0..<lines.rowCount { take(mask + row * lines.rowLength, row, lines.rowLength) }
    return countOnes(mask, count)
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
    mask.update(repeating: 1, count: lines.rowLength)
    for row in 0..<lines.rowCount { take(mask, row, lines.rowLength) }
    return lines.rowLength * lines.rowCount
  }
}

/// The number of bytes that are 1 among bytes that are 0 or 1.
private func countOnes(_ mask: UnsafePointer<UInt8>, _ count: Int) -> Int {
  let raw = UnsafeRawPointer(mask)
  var total = 0
  var index = 0
  while index + 32 <= count {
    // Each byte lane holds up to 255 additions before it must be emptied.
    var lanes = SIMD32<UInt8>()
    let end = min(count - 31, index + 255 * 32)
    while index < end {
      lanes &+= raw.loadUnaligned(fromByteOffset: index, as: SIMD32<UInt8>.self)
      index += 32
    }
    for lane in 0..<32 { total += Int(lanes[lane]) }
  }
  while index < count {
    total += Int(mask[index])
    index += 1
  }
  return total
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

/// The offset of the first voxel of some lines that is NaN or infinite, in voxels.
private func firstNotFinite(
  _ voxels: UnsafeRawPointer, _ type: DataType, _ lines: PlaneLines
) -> Int? {
  switch type {
  case .float16: firstNotFinite(voxels.assumingMemoryBound(to: UInt16.self), 0x7C00, lines)
  case .float32: firstNotFinite(voxels.assumingMemoryBound(to: UInt32.self), 0x7F80_0000, lines)
  case .float64:
    firstNotFinite(voxels.assumingMemoryBound(to: UInt64.self), 0x7FF0_0000_0000_0000, lines)
  default: nil
  }
}

/// A number is NaN or infinite when all bits of its exponent are set.
private func firstNotFinite<Bits: FixedWidthInteger>(
  _ voxels: UnsafePointer<Bits>, _ exponent: Bits, _ lines: PlaneLines
) -> Int? {
  for row in 0..<lines.rowCount {
    let line = voxels + row * lines.rowStride
    var found: Bits = 0
    for x in 0..<lines.rowLength { found |= (line[x] & exponent) == exponent ? 1 : 0 }
    if found != 0 {
      for x in 0..<lines.rowLength where line[x] & exponent == exponent {
        return row * lines.rowStride + x
      }
    }
  }
  return nil
}

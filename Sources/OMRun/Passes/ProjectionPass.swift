import OMCodecs
import OMGrid
import OMJSON
import OMTask
import OMZarr

/// Makes the voxels of a region of a projection: each of one line of voxels of the image.
///
/// Lines are followed from their first voxel to their last, one layer of chunks after the other, so
/// sums of floating-point voxels do not depend on how the image is stored.
struct ProjectionPass: Sendable {
  let plan: DerivedPlan
  let projection: Projection
  /// The axis that becomes one voxel long.
  let axis: Int

  /// Reads the lines behind a region and writes what becomes of them.
  ///
  /// - Throws: What reading and writing throws.
  func run(_ region: Region, into writer: PyramidWriter, _ worker: Worker) throws {
    guard let lines = plan.sourceBox(of: region) else {
      return try writer.take(region, nil, worker)
    }
    var part = lines
    (part.origin[axis], part.shape[axis]) = (0, 1)
    let byteCount = plan.recipe.dataType.byteCount
    let room = worker.made.replace(byteCount: region.count * byteCount)
    guard let made = room.baseAddress else { throw plan.noMemory(region) }
    if part == region {
      try project(lines, to: made, worker)
    } else {
      room.initializeMemory(as: UInt8.self, repeating: 0)
      let selected = worker.part.replace(byteCount: part.count * byteCount)
      guard let start = selected.baseAddress else { throw plan.noMemory(part) }
      try project(lines, to: start, worker)
      VoxelBox(region: region, start: made, elementByteCount: byteCount).copy(from: start, part)
    }
    try writer.take(region, made, worker)
  }

  private func project(
    _ lines: Region, to target: UnsafeMutableRawPointer, _ worker: Worker
  ) throws {
    switch plan.source.metadata.dataType {
    case .bool, .uint8: try integers(lines, target, worker, UInt8.self, Int64.self)
    case .int8: try integers(lines, target, worker, Int8.self, Int64.self)
    case .uint16: try integers(lines, target, worker, UInt16.self, Int64.self)
    case .int16: try integers(lines, target, worker, Int16.self, Int64.self)
    case .uint32: try integers(lines, target, worker, UInt32.self, Int64.self)
    case .int32: try integers(lines, target, worker, Int32.self, Int64.self)
    case .uint64: try integers(lines, target, worker, UInt64.self, Int128.self)
    case .int64: try integers(lines, target, worker, Int64.self, Int128.self)
    case .float16: try floats(lines, target, worker, Float16.self)
    case .float32: try floats(lines, target, worker, Float.self)
    case .float64: try floats(lines, target, worker, Double.self)
    }
  }

  private func integers<V: Voxel & FixedWidthInteger, Sum: FixedWidthInteger & BitwiseCopyable>(
    _ lines: Region, _ target: UnsafeMutableRawPointer, _ worker: Worker, _: V.Type, _: Sum.Type
  ) throws {
    if plan.selection.boxes != nil {
      return try selectedIntegers(lines, target, worker, V.self, Sum.self)
    }
    if projection.method.isExtreme { return try extremes(lines, target, worker, V.self) }
    let count = lines.count / lines.shape[axis]
    let sums = worker.scratch.room(0, Sum.self, count: count)
    try walk(lines, worker, V.self) { isFirst, row, place, count, _ in
      if isFirst { for index in 0..<count { sums[place + index] = Sum(row[index]) } }
      if !isFirst { for index in 0..<count { sums[place + index] &+= Sum(row[index]) } }
    }
    let length = Sum(lines.shape[axis])
    ProjectionResult(projection, plan.recipe.dataType).write(
      sums, count: count, length: length, to: target)
  }

  private func floats<V: Voxel & BinaryFloatingPoint>(
    _ lines: Region, _ target: UnsafeMutableRawPointer, _ worker: Worker, _: V.Type
  ) throws {
    if plan.selection.boxes != nil { return try selectedFloats(lines, target, worker, V.self) }
    if projection.method.isExtreme { return try extremes(lines, target, worker, V.self) }
    let count = lines.count / lines.shape[axis]
    let sums = worker.scratch.room(0, Double.self, count: count)
    try walk(lines, worker, V.self) { isFirst, row, place, count, _ in
      if isFirst { for index in 0..<count { sums[place + index] = Double(row[index]) } }
      if !isFirst { for index in 0..<count { sums[place + index] += Double(row[index]) } }
    }
    let length = Double(lines.shape[axis])
    if projection.method == .mean { for index in 0..<count { sums[index] /= length } }
    VoxelRounding.halfEven.write(sums, count: count, to: target, as: plan.recipe.dataType)
  }

  /// The largest or smallest voxels; one that is not a number wins, as in NumPy.
  private func extremes<V: Voxel>(
    _ lines: Region, _ target: UnsafeMutableRawPointer, _ worker: Worker, _: V.Type
  ) throws {
    let made = target.assumingMemoryBound(to: V.self)
    let takesLargest = projection.method == .max
    try walk(lines, worker, V.self) { isFirst, row, place, count, _ in
      let best = made + place
      if isFirst {
        best.update(from: row, count: count)
      } else if takesLargest {
        for index in 0..<count {
          let voxel = row[index]
          best[index] = voxel > best[index] || voxel != voxel ? voxel : best[index]
        }
      } else {
        for index in 0..<count {
          let voxel = row[index]
          best[index] = voxel < best[index] || voxel != voxel ? voxel : best[index]
        }
      }
    }
  }
}

// MARK: - Lines

extension ProjectionPass {
  /// Calls a function for rows of voxels in the order of the axis.
  ///
  /// - Parameters:
  ///   - lines: The box of the image to read.
  ///   - worker: The worker at hand.
  ///   - type: What a voxel is.
  ///   - body: Gets whether the voxels are the first of their lines, the voxels, and the place of
  ///     the first among the voxels that are made, with the number of voxels; along the x axis
  ///     rows are one voxel long. Where boxes are selected, a byte for each voxel says whether it
  ///     lies in one.
  /// - Throws: What reading throws.
  @inline(__always)
  func walk<V: Voxel>(
    _ lines: Region, _ worker: Worker, _ type: V.Type,
    _ body: (Bool, UnsafePointer<V>, Int, Int, UnsafePointer<UInt8>?) -> Void
  ) throws {
    let reader = worker.reader(of: plan.source, damage: plan.damage)
    let depth = plan.source.metadata.innerChunkShape[axis]
    let first = lines.origin[axis]
    let selection = plan.selection
    var isWanted: ((Region) -> Bool)?
    if selection.boxes != nil { isWanted = { selection.touches($0) } }
    var start = first
    while start < lines.end(axis) {
      // One layer of chunks: no line has voxels in two of them.
      let end = min((start / depth + 1) * depth, lines.end(axis))
      var layer = lines
      (layer.origin[axis], layer.shape[axis]) = (start, end - start)
      try reader.visit(layer, where: isWanted) { chunk in
        guard let box = chunk.region.intersection(layer) else { return }
        let selected = isWanted == nil ? nil : plan.selected(box, worker)
        rows(of: box, in: chunk, lines, worker, first: first, selected, body)
      }
      start = end
    }
  }

  /// The rows of a box that lies in one chunk.
  @inline(__always)
  private func rows<V: Voxel>(
    of box: Region, in chunk: ChunkView, _ lines: Region, _ worker: Worker, first: Int,
    _ selected: Admission?,
    _ body: (Bool, UnsafePointer<V>, Int, Int, UnsafePointer<UInt8>?) -> Void
  ) {
    let last = box.rank - 1
    let length = box.shape[last]
    let strides = rowMajorStrides(chunk.shape)
    var made = lines
    made.shape[axis] = 1
    let places = rowMajorStrides(made.shape)
    // Rows are short: finding each by its position would take as long as going through its voxels.
    let next = max(0, last - 1)
    var outer = box
    (outer.shape[last], outer.shape[next]) = (1, 1)
    let count = next == last ? 1 : box.shape[next]
    let fill = chunk.voxels == nil ? fillRow(length, worker, V.self) : nil
    forEachPosition(in: outer) { position in
      var offset = 0
      var place = 0
      for index in 0...last {
        offset += (position[index] - chunk.region.origin[index]) * strides[index]
        if index != axis { place += (position[index] - lines.origin[index]) * places[index] }
      }
      let start = chunk.voxels.map { $0.assumingMemoryBound(to: V.self) + offset }
      let admitted = selected?.rows(at: position)
      for number in 0..<count {
        guard let row = fill ?? start.map({ $0 + number * strides[next] }) else { return }
        let place = next == axis ? place : place + number * places[next]
        let counts = admitted.map { $0.start + number * $0.stride }
        if axis != last {
          let isFirst = position[axis] + (next == axis ? number : 0) == first
          body(isFirst, row, place, length, counts)
          continue
        }
        for index in 0..<length {
          body(box.origin[last] + index == first, row + index, place, 1, counts.map { $0 + index })
        }
      }
    }
  }

  /// Voxels of the fill value.
  private func fillRow<V: Voxel>(_ count: Int, _ worker: Worker, _: V.Type) -> UnsafePointer<V> {
    let row = worker.scratch.room(1, V.self, count: count)
    let value = plan.source.metadata.fillValue
    let raw = UnsafeMutableRawPointer(row)
    for index in 0..<count {
      for (place, byte) in value.enumerated() {
        raw.storeBytes(of: byte, toByteOffset: index * value.count + place, as: UInt8.self)
      }
    }
    return UnsafePointer(row)
  }
}

extension Projection.Method {
  /// Whether one of the voxels is taken.
  var isExtreme: Bool { self == .max || self == .min }
}

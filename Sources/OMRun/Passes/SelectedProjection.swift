import OMCodecs
import OMGrid
import OMJSON
import OMTask

// Projections of what lies in several boxes: each line counts its own voxels, and one without any stays 0.

extension ProjectionPass {
  /// Whole numbers: sums and means are exact.
  func selectedIntegers<
    V: Voxel & FixedWidthInteger, Sum: FixedWidthInteger & BitwiseCopyable
  >(
    _ lines: Region, _ target: UnsafeMutableRawPointer, _ worker: Worker, _: V.Type, _: Sum.Type
  ) throws {
    let count = lines.count / lines.shape[axis]
    let counts = zeros(2, count, worker)
    if projection.method.isExtreme {
      return try selectedExtremes(lines, target, worker, counts, V.self)
    }
    let sums = worker.scratch.room(0, Sum.self, count: count)
    sums.update(repeating: 0, count: count)
    try walk(lines, worker, V.self) { _, row, place, count, selected in
      guard let selected else { return }
      for index in 0..<count where selected[index] != 0 {
        sums[place + index] &+= Sum(row[index])
        counts[place + index] &+= 1
      }
    }
    let result = ProjectionResult(projection, plan.recipe.dataType)
    let byteCount = plan.recipe.dataType.byteCount
    for index in 0..<count {
      let voxel = target + index * byteCount
      if counts[index] == 0 {
        voxel.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      } else {
        result.write(sums + index, count: 1, length: Sum(counts[index]), to: voxel)
      }
    }
  }

  /// Floating-point numbers: sums are taken in the order of the axis.
  func selectedFloats<V: Voxel & BinaryFloatingPoint>(
    _ lines: Region, _ target: UnsafeMutableRawPointer, _ worker: Worker, _: V.Type
  ) throws {
    let count = lines.count / lines.shape[axis]
    let counts = zeros(2, count, worker)
    if projection.method.isExtreme {
      return try selectedExtremes(lines, target, worker, counts, V.self)
    }
    let sums = worker.scratch.room(0, Double.self, count: count)
    sums.update(repeating: 0, count: count)
    try walk(lines, worker, V.self) { _, row, place, count, selected in
      guard let selected else { return }
      for index in 0..<count where selected[index] != 0 {
        sums[place + index] += Double(row[index])
        counts[place + index] &+= 1
      }
    }
    if projection.method == .mean {
      for index in 0..<count where counts[index] > 0 { sums[index] /= Double(counts[index]) }
    }
    VoxelRounding.halfEven.write(sums, count: count, to: target, as: plan.recipe.dataType)
  }

  /// The largest or smallest voxels; one that is not a number wins, as in NumPy.
  private func selectedExtremes<V: Voxel>(
    _ lines: Region, _ target: UnsafeMutableRawPointer, _ worker: Worker,
    _ counts: UnsafeMutablePointer<Int>, _: V.Type
  ) throws {
    let made = target.assumingMemoryBound(to: V.self)
    made.update(repeating: V.zero, count: lines.count / lines.shape[axis])
    let takesLargest = projection.method == .max
    try walk(lines, worker, V.self) { _, row, place, count, selected in
      guard let selected else { return }
      for index in 0..<count where selected[index] != 0 {
        let (voxel, best) = (row[index], made[place + index])
        let isBetter = takesLargest ? voxel > best : voxel < best
        if counts[place + index] == 0 || isBetter || voxel != voxel { made[place + index] = voxel }
        counts[place + index] &+= 1
      }
    }
  }

  private func zeros(_ number: Int, _ count: Int, _ worker: Worker) -> UnsafeMutablePointer<Int> {
    let room = worker.scratch.room(number, Int.self, count: count)
    room.update(repeating: 0, count: count)
    return room
  }
}

extension DerivedPlan {
  /// Which voxels of a box lie in one of the selected boxes.
  func selected(_ box: Region, _ worker: Worker) -> Admission? {
    let room = worker.gathered.replace(byteCount: box.count)
    guard let start = room.baseAddress else { return nil }
    room.initializeMemory(as: UInt8.self, repeating: 0)
    let target = VoxelBox(region: box, start: start, elementByteCount: 1)
    for part in selection.parts(of: box) { target.fill(part, with: [1]) }
    return Admission(box: box, bytes: start.assumingMemoryBound(to: UInt8.self))
  }
}

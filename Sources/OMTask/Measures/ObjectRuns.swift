package import OMGrid

/// Voxels of one object that lie side by side along x, in voxels of the image.
package struct ObjectRun: BitwiseCopyable, Sendable {
  /// The place of the object in the sums.
  package var slot: Int32
  /// How many voxels.
  package var length: Int32
  package var z: Int32
  package var y: Int32
  /// The first voxel.
  package var x: Int32
}

/// A box of a volume in memory: some rows of voxels of one time point.
package struct RowBox: Sendable {
  /// The first voxel, in voxels of the image.
  package var origin: Vector3
  /// Its size.
  package var shape: Vector3
  /// Elements from row to row, and from plane to plane.
  package var strides: (row: Int, plane: Int)

  /// Makes a box.
  package init(origin: Vector3, shape: Vector3, strides: (row: Int, plane: Int)) {
    self.origin = origin
    self.shape = shape
    self.strides = strides
  }
}

extension ObjectSums {
  /// Finds the runs of all objects in a box of a label image; 0 is no object.
  ///
  /// - Parameters:
  ///   - type: The type of the labels, an integer type.
  ///   - labels: The first voxel of the box.
  ///   - box: The box.
  ///   - time: The time point under which objects are known.
  ///   - runs: Takes the runs, plane by plane and row by row.
  /// - Returns: Whether the type was one of labels.
  package mutating func findRuns(
    _ type: DataType, _ labels: UnsafeRawPointer, _ box: RowBox, time: UInt32,
    into runs: inout [ObjectRun]
  ) -> Bool {
    switch type {
    case .bool, .uint8: find(labels.assumingMemoryBound(to: UInt8.self), box, time, &runs)
    case .uint16: find(labels.assumingMemoryBound(to: UInt16.self), box, time, &runs)
    case .uint32: find(labels.assumingMemoryBound(to: UInt32.self), box, time, &runs)
    case .uint64: find(labels.assumingMemoryBound(to: UInt64.self), box, time, &runs)
    case .int8: find(labels.assumingMemoryBound(to: Int8.self), box, time, &runs)
    case .int16: find(labels.assumingMemoryBound(to: Int16.self), box, time, &runs)
    case .int32: find(labels.assumingMemoryBound(to: Int32.self), box, time, &runs)
    case .int64: find(labels.assumingMemoryBound(to: Int64.self), box, time, &runs)
    case .float16, .float32, .float64: return false
    }
    return true
  }

  private mutating func find<Label: FixedWidthInteger>(
    _ labels: UnsafePointer<Label>, _ box: RowBox, _ time: UInt32, _ runs: inout [ObjectRun]
  ) {
    var last: (label: Label, slot: Int32) = (0, 0)
    let width = box.shape.x
    for z in 0..<box.shape.z {
      for y in 0..<box.shape.y {
        let row = labels + z * box.strides.plane + y * box.strides.row
        if Self.isZero(row, width) { continue }
        var x = 0
        while x < width {
          let label = row[x]
          if label == 0 {
            x += 1
            continue
          }
          let start = x
          repeat { x += 1 } while x < width && row[x] == label
          if label != last.label {
            // Negative numbers are numbers too: their bits tell them apart.
            let wide = UInt64(bitPattern: Int64(truncatingIfNeeded: label))
            last = (label, Int32(truncatingIfNeeded: slot(wide, time)))
          }
          runs.append(
            ObjectRun(
              slot: last.slot, length: Int32(truncatingIfNeeded: x - start),
              z: Int32(truncatingIfNeeded: box.origin.z + z),
              y: Int32(truncatingIfNeeded: box.origin.y + y),
              x: Int32(truncatingIfNeeded: box.origin.x + start)))
        }
      }
    }
  }

  @inline(__always)
  private static func isZero<Label: FixedWidthInteger>(
    _ row: UnsafePointer<Label>, _ count: Int
  ) -> Bool {
    var bits: Label = 0
    for x in 0..<count { bits |= row[x] }
    return bits == 0
  }

  /// Adds runs to the sums of coordinates.
  ///
  /// - Parameters:
  ///   - runs: The runs.
  ///   - time: Their time point.
  ///   - volume: The shape of the whole volume, whose border counts along axes of several voxels.
  package mutating func add(_ runs: [ObjectRun], time: Int, volume: Vector3) {
    let layout = layout
    withWords { words in
      for run in runs {
        let object = words + Int(run.slot) * layout.stride
        let place = (Int(run.z), Int(run.y), Int(run.x))
        let count = Int(run.length)
        object[SumsLayout.count] &+= UInt64(count)
        Self.grow(object, 0, time, time)
        Self.grow(object, 1, place.0, place.0)
        Self.grow(object, 2, place.1, place.1)
        Self.grow(object, 3, place.2, place.2 + count - 1)
        object[SumsLayout.border] &+= Self.border(place, count, volume)
        let sumX = place.2 * count + count * (count - 1) / 2
        let sums = object + SumsLayout.coordinates
        Self.add(Int128(place.0 * count), sums)
        Self.add(Int128(place.1 * count), sums + 2)
        Self.add(Int128(sumX), sums + 4)
        if layout.need.products { Self.addProducts(object, place, count, sumX) }
      }
    }
  }

  @inline(__always)
  private static func add(_ value: Int128, _ words: UnsafeMutablePointer<UInt64>) {
    WordSum.add(value, to: words, count: 2)
  }

  @inline(__always)
  private static func grow(
    _ object: UnsafeMutablePointer<UInt64>, _ axis: Int, _ low: Int, _ high: Int
  ) {
    object[SumsLayout.least + axis] = min(object[SumsLayout.least + axis], UInt64(low))
    object[SumsLayout.largest + axis] = max(object[SumsLayout.largest + axis], UInt64(high))
  }

  private static func border(
    _ place: (z: Int, y: Int, x: Int), _ count: Int, _ volume: Vector3
  ) -> UInt64 {
    let isOutermost = { (place: Int, size: Int) in size > 1 && (place == 0 || place == size - 1) }
    if isOutermost(place.z, volume.z) || isOutermost(place.y, volume.y) { return UInt64(count) }
    if volume.x == 1 { return 0 }
    return (place.x == 0 ? 1 : 0) + (place.x + count == volume.x ? 1 : 0)
  }

  private static func addProducts(
    _ object: UnsafeMutablePointer<UInt64>, _ place: (z: Int, y: Int, x: Int), _ count: Int,
    _ sumX: Int
  ) {
    let (z, y, x) = (Int128(place.z), Int128(place.y), Int128(place.x))
    let (n, s) = (Int128(count), Int128(sumX))
    let sums = object + SumsLayout.products
    add(z * z * n, sums)
    add(z * y * n, sums + 2)
    add(z * s, sums + 4)
    add(y * y * n, sums + 6)
    add(y * s, sums + 8)
    // The sum of (x + i)² over the run.
    add(n * x * x + x * n * (n - 1) + (n - 1) * n * (2 * n - 1) / 6, sums + 10)
  }
}

package import OMGrid

/// A box of voxels by its corners: `low` is in it, `high` is not.
package struct BoxCorners: Sendable, Equatable {
  /// The first voxel.
  package var low: Vector3
  /// One past the last voxel along each axis.
  package var high: Vector3

  /// Makes the corners of a box.
  package init(origin: Vector3, shape: Vector3) {
    low = origin
    high = Vector3(origin.z + shape.z, origin.y + shape.y, origin.x + shape.x)
  }
}

/// Labels in memory of which some are looked at together with those around them.
package struct SurroundedLabels {
  /// The first voxel of the box in memory.
  let start: UnsafeRawPointer
  /// What is in memory: the voxels to look at, and `SumsNeed.halo` around them as far as the whole goes.
  let box: RowBox
  /// The voxels to look at.
  let core: BoxCorners
  /// All voxels there are: beyond them is background.
  let whole: BoxCorners
  /// Whether there is only one plane, so that objects have no thickness.
  let isFlat: Bool

  /// Describes labels in memory.
  package init(
    _ start: UnsafeRawPointer, _ box: RowBox, core: BoxCorners, whole: BoxCorners, isFlat: Bool
  ) {
    self.start = start
    self.box = box
    self.core = core
    self.whole = whole
    self.isFlat = isFlat
  }
}

extension ObjectSums {
  /// Adds what the surroundings of voxels say of the shape of objects, as far as that is needed.
  ///
  /// - Parameters:
  ///   - type: The type of the labels, an integer type.
  ///   - labels: The labels.
  ///   - time: The time point under which objects are known.
  /// - Returns: Whether the type was one of labels.
  package mutating func addShapes(
    _ type: DataType, _ labels: SurroundedLabels, time: UInt32
  ) -> Bool {
    switch type {
    case .bool, .uint8: addShapes(labels, UInt8.self, time)
    case .uint16: addShapes(labels, UInt16.self, time)
    case .uint32: addShapes(labels, UInt32.self, time)
    case .uint64: addShapes(labels, UInt64.self, time)
    case .int8: addShapes(labels, Int8.self, time)
    case .int16: addShapes(labels, Int16.self, time)
    case .int32: addShapes(labels, Int32.self, time)
    case .int64: addShapes(labels, Int64.self, time)
    case .float16, .float32, .float64: return false
    }
    return true
  }

  private mutating func addShapes<Label: FixedWidthInteger>(
    _ labels: SurroundedLabels, _: Label.Type, _ time: UInt32
  ) {
    var corners = CornerKernel<Label>(labels, time: time)
    corners.run(&self)
    if layout.need.contours {
      var borders = BorderKernel<Label>(labels, time: time)
      borders.run(&self)
    }
  }
}

/// The places of objects by their labels, of which the same one often follows itself.
struct LabelSlots<Label: FixedWidthInteger> {
  private let time: UInt32
  private var last: (label: Label, slot: Int) = (0, 0)

  init(time: UInt32) { self.time = time }

  /// The place of an object.
  ///
  /// - Precondition: The label is not 0.
  @inline(__always)
  mutating func slot(of label: Label, in sums: inout ObjectSums) -> Int {
    if label != last.label {
      // As in runs: the bits of a negative number tell it apart.
      last = (label, sums.slot(UInt64(bitPattern: Int64(truncatingIfNeeded: label)), time))
    }
    return last.slot
  }
}

/// Goes over the corners between voxels and tells of each how the objects lie around it.
///
/// A corner belongs to the voxel behind it along all axes, so each is met once however the image is cut;
/// those behind the last voxels of the whole belong to these.
private struct CornerKernel<Label: FixedWidthInteger> {
  private let labels: SurroundedLabels
  private let start: UnsafePointer<Label>
  private var slots: LabelSlots<Label>

  init(_ labels: SurroundedLabels, time: UInt32) {
    self.labels = labels
    start = labels.start.assumingMemoryBound(to: Label.self)
    slots = LabelSlots(time: time)
  }

  /// The labels on one side of a corner: at z and y, at z and y - 1, and both at z - 1.
  private struct Column {
    var here: Label
    var above: Label
    var before: Label
    var beforeAbove: Label

    /// Bits in which they differ.
    @inline(__always) var spread: Label {
      (here ^ above) | (before ^ beforeAbove) | (here ^ before)
    }
  }

  /// The four rows around a line of corners along x.
  private struct Rows {
    var here: UnsafePointer<Label>
    var above: UnsafePointer<Label>
    var before: UnsafePointer<Label>
    var beforeAbove: UnsafePointer<Label>

    @inline(__always) func column(_ x: Int) -> Column {
      Column(here: here[x], above: above[x], before: before[x], beforeAbove: beforeAbove[x])
    }
  }

  mutating func run(_ sums: inout ObjectSums) {
    let (core, whole, isFlat) = (labels.core, labels.whole, labels.isFlat)
    let zeros = [Label](repeating: 0, count: labels.box.shape.x)
    // Of a single plane, both sides along z are taken to be the same.
    let planes = isFlat ? core.high.z : corners(core.high.z, whole.high.z)
    zeros.withUnsafeBufferPointer { zeros in
      guard let empty = zeros.baseAddress else { return }
      for z in core.low.z..<planes {
        for y in core.low.y..<corners(core.high.y, whole.high.y) {
          let (here, above) = (row(z, y) ?? empty, row(z, y - 1) ?? empty)
          let rows = Rows(
            here: here, above: above, before: isFlat ? here : row(z - 1, y) ?? empty,
            beforeAbove: isFlat ? above : row(z - 1, y - 1) ?? empty)
          run(along: rows, &sums)
        }
      }
    }
  }

  private func corners(_ high: Int, _ end: Int) -> Int { high == end ? high + 1 : high }

  /// A row of the box, or nil beyond it.
  private func row(_ z: Int, _ y: Int) -> UnsafePointer<Label>? {
    let box = labels.box
    let (z, y) = (z - box.origin.z, y - box.origin.y)
    guard z >= 0, z < box.shape.z, y >= 0, y < box.shape.y else { return nil }
    return start + z * box.strides.plane + y * box.strides.row
  }

  private mutating func run(along rows: Rows, _ sums: inout ObjectSums) {
    let width = labels.box.shape.x
    let origin = labels.box.origin.x
    let low = labels.core.low.x - origin
    let high = corners(labels.core.high.x, labels.whole.high.x) - origin
    let nothing = Column(here: 0, above: 0, before: 0, beforeAbove: 0)
    let from = max(0, low - 1)
    if isZero(rows, from..<min(high, width)) { return }
    var left = low > 0 ? rows.column(low - 1) : nothing
    var leftSpread = left.spread
    for x in low..<high {
      let right = x < width ? rows.column(x) : nothing
      let rightSpread = right.spread
      if leftSpread | rightSpread | (left.here ^ right.here) != 0 {
        add(left, right, &sums)
      }
      (left, leftSpread) = (right, rightSpread)
    }
  }

  @inline(__always)
  private func isZero(_ rows: Rows, _ range: Range<Int>) -> Bool {
    var bits: Label = 0
    for x in range {
      bits |= rows.here[x] | rows.above[x] | rows.before[x] | rows.beforeAbove[x]
    }
    return bits == 0
  }

  /// Adds a corner to all objects that are around it.
  ///
  /// Of the code of an object, bits 0 to 3 stand for the plane at z: at (y, x), (y - 1, x), (y, x - 1)
  /// and (y - 1, x - 1); bits 4 to 7 for the same at z - 1.
  private mutating func add(_ left: Column, _ right: Column, _ sums: inout ObjectSums) {
    let around: InlineArray<8, Label> = [
      right.here, right.above, left.here, left.above,
      right.before, right.beforeAbove, left.before, left.beforeAbove,
    ]
    let count = labels.isFlat ? 4 : 8
    var seen = 0
    for place in 0..<count {
      let label = around[place]
      if label == 0 || seen >> place & 1 == 1 { continue }
      var code = 0
      for other in place..<count where around[other] == label { code |= 1 << other }
      seen |= code
      sums.add(corner: code, isFlat: labels.isFlat, to: slots.slot(of: label, in: &sums))
    }
  }
}

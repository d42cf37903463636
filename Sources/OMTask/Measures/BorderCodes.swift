import OMGrid

/// Goes over the voxels at the borders of flat objects and tells of each which of its neighbours are at the
/// border of the same object: what scikit-image's `perimeter` (neighbourhood 4) counts.
///
/// A voxel is at the border of its object when one of its four neighbours does not belong to it. Its code is
/// 1, and 2 for each of these four that is at the border too, and 10 for each such diagonal neighbour. So two
/// voxels around a voxel must be known.
struct BorderKernel<Label: FixedWidthInteger> {
  private let labels: SurroundedLabels
  private let start: UnsafePointer<Label>
  /// The columns of the box that are looked at, and one beside them on each side as far as there are any.
  private let columns: Range<Int>
  private var slots: LabelSlots<Label>

  /// - Precondition: The labels are flat.
  init(_ labels: SurroundedLabels, time: UInt32) {
    self.labels = labels
    start = labels.start.assumingMemoryBound(to: Label.self)
    let origin = labels.box.origin.x
    let (low, high) = (labels.core.low.x - origin, labels.core.high.x - origin)
    slots = LabelSlots(time: time)
    columns = max(0, low - 1)..<min(labels.box.shape.x, high + 1)
  }

  /// One row: its labels, and for each of the columns, and one more on each side, whether it is at a border.
  private struct Row {
    var labels: UnsafePointer<Label>
    var isBorder: [Bool]
    var hasBorder: Bool
  }

  mutating func run(_ sums: inout ObjectSums) {
    let origin = labels.box.origin.y
    let (low, high) = (labels.core.low.y - origin, labels.core.high.y - origin)
    var above = row(low - 1)
    var here = row(low)
    for y in low..<high {
      let below = row(y + 1)
      if let here, here.hasBorder { add(above, here, below, &sums) }
      (above, here) = (here, below)
    }
  }

  /// A row of the box, or nil beyond it.
  private func row(_ y: Int) -> Row? {
    guard y >= 0, y < labels.box.shape.y else { return nil }
    let stride = labels.box.strides.row
    let here = start + y * stride
    let above = y > 0 ? here - stride : nil
    let below = y + 1 < labels.box.shape.y ? here + stride : nil
    var row = Row(
      labels: here, isBorder: [Bool](repeating: false, count: columns.count + 2),
      hasBorder: false)
    let width = labels.box.shape.x
    let isOutermost = above == nil || below == nil
    let (up, down) = (above ?? here, below ?? here)
    for x in columns where here[x] != 0 {
      let label = here[x]
      let isInside =
        !isOutermost && up[x] == label && down[x] == label && x > 0 && here[x - 1] == label
        && x + 1 < width && here[x + 1] == label
      if isInside { continue }
      row.isBorder[x - columns.lowerBound + 1] = true
      row.hasBorder = true
    }
    return row
  }

  /// Adds the border voxels of a row to their objects.
  private mutating func add(_ above: Row?, _ here: Row, _ below: Row?, _ sums: inout ObjectSums) {
    let origin = labels.box.origin.x
    let first = columns.lowerBound - 1
    for x in labels.core.low.x - origin..<labels.core.high.x - origin
    where here.isBorder[x - first] {
      let label = here.labels[x]
      func isBorder(_ row: Row?, _ x: Int) -> Int {
        guard let row, row.isBorder[x - first] else { return 0 }
        return row.labels[x] == label ? 1 : 0
      }
      let beside =
        isBorder(above, x) + isBorder(here, x - 1) + isBorder(here, x + 1) + isBorder(below, x)
      let diagonal =
        isBorder(above, x - 1) + isBorder(above, x + 1) + isBorder(below, x - 1)
        + isBorder(below, x + 1)
      guard let place = Perimeter.places[1 + 2 * beside + 10 * diagonal] else { continue }
      sums.add(1, to: sums.layout.borderCodes + place, of: slots.slot(of: label, in: &sums))
    }
  }
}

import OMGrid

/// How rows of an image become a row of medians, for windows of a few hundred voxels.
///
/// In a box, the voxels of one column (all z and y at one x) are sorted once for the `2r + 1`
/// windows that share them. Two neighbouring columns are merged to sorted lists of two, these to
/// lists of four, and so on to `2r`; the last column is not merged, since the median of two sorted
/// lists follows from a few minima and maxima. Other footprints are sorted whole.
struct MedianPlan: Sendable {
  /// One list of sorted rows made of two, of the same columns and of columns to their right.
  struct Merge: Sendable {
    let first: Int
    let second: Int
    /// How many columns the second list lies to the right of the first.
    let shift: Int
    let network: RowNetwork
  }

  /// The rows to read: the steps from the voxel in question, or from the first of its columns.
  let reads: [Vector3]
  /// Sorts the rows that were read; makes list 0.
  let sorting: RowNetwork
  /// Makes list 1, 2, and so on.
  let merges: [Merge]
  /// How many columns each list is made of.
  let widths: [Int]
  /// How many columns a window has.
  let columnCount: Int
  /// The place of the median in a sorted window.
  let middle: Int

  init(_ offsets: [Vector3], _ footprint: FilterFootprint, radius: Vector3) {
    middle = offsets.count / 2
    guard footprint == .box && radius.x > 0 else {
      reads = offsets
      sorting = RowNetwork(sorting: offsets.count, wanted: middle...middle)
      (merges, widths, columnCount) = ([], [1], 1)
      return
    }
    reads = offsets.filter { $0.x == -radius.x }
    sorting = RowNetwork(sorting: reads.count, wanted: 0...reads.count - 1)
    columnCount = 2 * radius.x + 1
    var lists = ColumnLists(column: sorting.result, windowCount: offsets.count)
    lists.merge(columns: 2 * radius.x)
    merges = lists.merges
    widths = lists.widths
  }

  /// The list of the given number.
  func list(_ number: Int) -> SortedRows {
    number == 0 ? sorting.result : merges[number - 1].network.result
  }

  /// How many rows all lists take.
  var rowCount: Int {
    merges.reduce(sorting.rowCount) { $0 + $1.network.rowCount }
  }
}

/// The lists that are made on the way to one of a given number of columns.
private struct ColumnLists {
  private var lists: [SortedRows]
  private(set) var widths = [1]
  private(set) var merges: [MedianPlan.Merge] = []
  private let windowCount: Int

  init(column: SortedRows, windowCount: Int) {
    lists = [column]
    self.windowCount = windowCount
  }

  /// Makes a list of so many columns the last one, from lists of 1, 2, 4, … columns.
  mutating func merge(columns: Int) {
    var power = 0  // the list of the last power of two
    var sum: Int?
    var rest = columns
    while true {
      if rest & 1 == 1 { sum = sum.map { merge($0, power) } ?? power }
      rest >>= 1
      if rest == 0 { return }
      power = merge(power, power)
    }
  }

  private mutating func merge(_ first: Int, _ second: Int) -> Int {
    let count = lists[first].count + lists[second].count
    // What has the median or more above or below it in this list alone cannot be the median.
    let middle = windowCount / 2
    let wanted = max(0, count - 1 - middle)...min(count - 1, middle)
    let network = RowNetwork(merging: lists[first], lists[second], wanted: wanted)
    merges.append(
      MedianPlan.Merge(
        first: first, second: second, shift: widths[first], network: network))
    lists.append(network.result)
    widths.append(widths[first] + widths[second])
    return lists.count - 1
  }
}

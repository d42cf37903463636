import OMGrid

/// Labels the mask of one block: runs of voxels joined by union-find.
///
/// The method is the run-based form of two-pass labelling (Wu, Otoo and Suzuki 2009): every run
/// is compared with the runs of the four earlier rows that can touch it, and the root of a set is
/// always its first run, so that components come out in raster order of their first voxels.
/// One labeller belongs to one worker; its buffers are kept between blocks.
package final class BlockLabeller {
  private var starts = GrowingBuffer<UInt32>()
  private var ends = GrowingBuffer<UInt32>()
  private var parents = GrowingBuffer<UInt32>()
  /// The label of each run; empty for masks.
  private var values = GrowingBuffer<UInt64>()
  private var rowStarts: [UInt32] = []

  /// Makes a labeller.
  package init() {}

  /// Labels a block.
  ///
  /// - Parameters:
  ///   - mask: The mask, one row per line of voxels, z before y.
  ///   - block: Where the mask lies.
  ///   - grid: The volumes around it.
  ///   - order: In how many coordinates two neighbours may differ, 1…3.
  ///   - findsBorder: Whether components at the border of the volume must be known.
  /// - Returns: The block with its runs and components, in raster order of their first voxels.
  package func label(
    _ mask: BitRows, block: Block, in grid: BlockGrid, order: Int, findsBorder: Bool
  ) -> LabelledBlock {
    findRuns(mask, block)
    joinRows(block, order, joinsPlanes: grid.joinsPlanes)
    return collect(block, grid, findsBorder)
  }

  /// Finds the connected parts of the labels of a block: voxels are joined when they are equal.
  ///
  /// - Parameters:
  ///   - labels: The voxels of the block in C order; 0 is background.
  ///   - block: Where they lie.
  ///   - grid: The volumes around it.
  ///   - order: In how many coordinates two neighbours may differ, 1…3.
  ///   - findsBorder: Whether parts at the border of the volume must be known.
  /// - Returns: The block with its runs and parts, in raster order of their first voxels, with their
  ///   labels.
  package func parts<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    of labels: UnsafePointer<Label>, block: Block, in grid: BlockGrid, order: Int,
    findsBorder: Bool
  ) -> LabelledBlock {
    findRuns(labels, block)
    joinRows(block, order, joinsPlanes: grid.joinsPlanes)
    var found = collect(block, grid, findsBorder)
    found.labels = [UInt64](repeating: 0, count: found.componentCount)
    for (index, run) in found.runs.enumerated() {
      found.labels[Int(run.component)] = values.base[index]
    }
    return found
  }

  private func findRuns<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ labels: UnsafePointer<Label>, _ block: Block
  ) {
    clear(block)
    let width = block.shape.x
    for row in 0..<block.rowCount {
      rowStarts.append(UInt32(truncatingIfNeeded: starts.count))
      let line = labels + row * width
      starts.reserve(starts.count + width)
      ends.reserve(ends.count + width)
      values.reserve(values.count + width)
      var x = 0
      while x < width {
        let (label, start) = (line[x], x)
        repeat { x += 1 } while x < width && line[x] == label
        if label == 0 { continue }
        starts.base[starts.count] = UInt32(truncatingIfNeeded: start)
        ends.base[ends.count] = UInt32(truncatingIfNeeded: x)
        values.base[values.count] = UInt64(label)
        starts.use(1)
        ends.use(1)
        values.use(1)
      }
    }
    rowStarts.append(UInt32(truncatingIfNeeded: starts.count))
  }

  private func clear(_ block: Block) {
    starts.removeAll()
    ends.removeAll()
    values.removeAll()
    rowStarts.removeAll(keepingCapacity: true)
    rowStarts.reserveCapacity(block.rowCount + 1)
  }

  private func findRuns(_ mask: BitRows, _ block: Block) {
    clear(block)
    let width = mask.wordsPerRow
    let most = block.shape.x / 2 + 1
    for row in 0..<block.rowCount {
      rowStarts.append(UInt32(truncatingIfNeeded: starts.count))
      let line = mask.words + row * width
      if isEmpty(line, width) { continue }
      starts.reserve(starts.count + most)
      ends.reserve(ends.count + most)
      let found = BlockLabeller.edges(
        line, width, UInt32(truncatingIfNeeded: block.shape.x),
        starts: starts.base + starts.count, ends: ends.base + ends.count)
      starts.use(found)
      ends.use(found)
    }
    rowStarts.append(UInt32(truncatingIfNeeded: starts.count))
  }

  private func isEmpty(_ line: UnsafePointer<UInt64>, _ width: Int) -> Bool {
    var any: UInt64 = 0
    for index in 0..<width { any |= line[index] }
    return any == 0
  }

  /// Finds where the runs of one row begin and end; returns how many there are.
  private static func edges(
    _ line: UnsafePointer<UInt64>, _ width: Int, _ length: UInt32,
    starts: UnsafeMutablePointer<UInt32>, ends: UnsafeMutablePointer<UInt32>
  ) -> Int {
    var begun = 0
    var ended = 0
    for index in 0..<width {
      // Where a bit differs from the one before it, a run begins or ends.
      let word = line[index]
      var edges = word ^ (word << 1 | UInt64(begun - ended))
      let base = UInt32(truncatingIfNeeded: index * 64)
      while edges != 0 {
        let x = base &+ UInt32(truncatingIfNeeded: edges.trailingZeroBitCount)
        if begun == ended {
          starts[begun] = x
          begun += 1
        } else {
          ends[ended] = x
          ended += 1
        }
        edges &= edges &- 1
      }
    }
    if begun != ended { ends[ended] = length }
    return begun
  }

  private func joinRows(_ block: Block, _ order: Int, joinsPlanes: Bool) {
    parents.removeAll()
    parents.reserve(starts.count)
    parents.use(starts.count)
    let forest = parents.base
    for run in 0..<starts.count { forest[run] = UInt32(truncatingIfNeeded: run) }
    let runs = RowRuns(
      start: starts.base, end: ends.base, parents: forest,
      values: values.count == 0 ? nil : values.base)
    let rows = block.shape.y
    rowStarts.withUnsafeBufferPointer { first in
      for row in 0..<block.rowCount where first[row] != first[row + 1] {
        let y = row % rows
        if y > 0 { runs.join(first, row, row - 1, slack: order >= 2) }
        if row < rows || !joinsPlanes { continue }
        let above = row - rows
        runs.join(first, row, above, slack: order >= 2)
        if order < 2 { continue }
        if y > 0 { runs.join(first, row, above - 1, slack: order >= 3) }
        if y + 1 < rows { runs.join(first, row, above + 1, slack: order >= 3) }
      }
    }
  }

  private func collect(_ block: Block, _ grid: BlockGrid, _ findsBorder: Bool) -> LabelledBlock {
    let count = starts.count
    let (start, end, parents) = (starts.base, ends.base, parents.base)
    let width = UInt32(truncatingIfNeeded: block.shape.x)
    var firstVoxels: [UInt32] = []
    var counts: [UInt32] = []
    let runs = [Run](unsafeUninitializedCapacity: count) { runs, used in
      for row in 0..<block.rowCount {
        let firstVoxel = UInt32(truncatingIfNeeded: row) &* width
        for run in Int(rowStarts[row])..<Int(rowStarts[row + 1]) {
          let parent = Int(parents[run])
          let length = end[run] - start[run]
          let component: UInt32
          if parent == run {
            component = UInt32(truncatingIfNeeded: firstVoxels.count)
            firstVoxels.append(firstVoxel &+ start[run])
            counts.append(length)
          } else {
            // A parent is an earlier run, so its component is known.
            component = runs[parent].component
            counts[Int(component)] &+= length
          }
          runs[run] = Run(start: start[run], end: end[run], component: component)
        }
      }
      used = count
    }
    return LabelledBlock(
      block: block, rowStarts: rowStarts, runs: runs, firstVoxels: firstVoxels, counts: counts,
      touchesBorder: findsBorder ? border(runs, firstVoxels.count, block, grid) : [])
  }

  /// Which components touch the border of the volume.
  private func border(
    _ runs: [Run], _ count: Int, _ block: Block, _ grid: BlockGrid
  ) -> [Bool] {
    var touches = [Bool](repeating: false, count: count)
    let (low, high) = (grid.border.low.x, grid.border.high.x)
    for row in 0..<block.rowCount {
      let edgeRow = isBorder(row, block, grid)
      for run in runs[Int(rowStarts[row])..<Int(rowStarts[row + 1])]
      where edgeRow || block.origin.x + Int(run.start) == low
        || block.origin.x + Int(run.end) == high
      {
        touches[Int(run.component)] = true
      }
    }
    return touches
  }

  private func isBorder(_ row: Int, _ block: Block, _ grid: BlockGrid) -> Bool {
    let z = block.origin.z + row / block.shape.y
    let y = block.origin.y + row % block.shape.y
    let border = grid.border
    let atPlane = border.hasDepth && (z == border.low.z || z == border.high.z - 1)
    return atPlane || y == border.low.y || y == border.high.y - 1
  }
}

/// The runs of a block while they are joined.
private struct RowRuns {
  let start: UnsafeMutablePointer<UInt32>
  let end: UnsafeMutablePointer<UInt32>
  let parents: UnsafeMutablePointer<UInt32>
  /// The labels of runs, of which only equal ones are joined; nil for masks.
  let values: UnsafeMutablePointer<UInt64>?

  /// Joins the runs of a row with those of an earlier one that overlap, or with `slack` also those
  /// that only meet at a corner.
  func join(_ first: UnsafeBufferPointer<UInt32>, _ row: Int, _ earlier: Int, slack: Bool) {
    let extra: UInt32 = slack ? 1 : 0
    var i = Int(first[row])
    let lastI = Int(first[row + 1])
    var j = Int(first[earlier])
    let lastJ = Int(first[earlier + 1])
    while i < lastI && j < lastJ {
      if end[j] &+ extra <= start[i] {
        j += 1
      } else if end[i] &+ extra <= start[j] {
        i += 1
      } else {
        meet(i, j)
        // Runs of labels follow each other without a gap: with slack, the next one touches too.
        if slack && end[j] == end[i] && j + 1 < lastJ && start[j + 1] == end[i] { meet(i, j + 1) }
        if end[j] < end[i] { j += 1 } else { i += 1 }
      }
    }
  }

  @inline(__always)
  private func meet(_ one: Int, _ other: Int) {
    if let values, values[one] != values[other] { return }
    unite(parents, UInt32(truncatingIfNeeded: one), UInt32(truncatingIfNeeded: other))
  }
}

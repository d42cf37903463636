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
  package func label(
    _ mask: BitRows, block: Block, in grid: BlockGrid, order: Int, findsBorder: Bool
  ) -> LabelledBlock {
    findRuns(mask, block)
    joinRows(block, order)
    return collect(block, grid, findsBorder)
  }

  private func findRuns(_ mask: BitRows, _ block: Block) {
    starts.removeAll()
    ends.removeAll()
    rowStarts.removeAll(keepingCapacity: true)
    rowStarts.reserveCapacity(block.rowCount + 1)
    let width = mask.wordsPerRow
    let length = UInt32(block.shape.x)
    for row in 0..<block.rowCount {
      rowStarts.append(UInt32(starts.count))
      let line = mask.words + row * width
      var open = false
      for index in 0..<width {
        // Where a bit differs from the one before it, a run begins or ends.
        let word = line[index]
        var edges = word ^ (word << 1 | (open ? 1 : 0))
        let base = UInt32(index * 64)
        while edges != 0 {
          let x = base + UInt32(truncatingIfNeeded: edges.trailingZeroBitCount)
          if open { ends.append(x) } else { starts.append(x) }
          open.toggle()
          edges &= edges - 1
        }
      }
      if open { ends.append(length) }
    }
    rowStarts.append(UInt32(starts.count))
  }

  private func joinRows(_ block: Block, _ order: Int) {
    parents.removeAll()
    parents.reserve(starts.count)
    for run in 0..<starts.count { parents.append(UInt32(truncatingIfNeeded: run)) }
    let rows = block.shape.y
    for z in 0..<block.shape.z {
      for y in 0..<rows {
        let row = z * rows + y
        if rowStarts[row] == rowStarts[row + 1] { continue }
        if y > 0 { join(row, row - 1, slack: order >= 2) }
        if z == 0 { continue }
        let above = row - rows
        join(row, above, slack: order >= 2)
        if order < 2 { continue }
        if y > 0 { join(row, above - 1, slack: order >= 3) }
        if y + 1 < rows { join(row, above + 1, slack: order >= 3) }
      }
    }
  }

  /// Joins the runs of a row with those of an earlier one that overlap, or with `slack` also
  /// those that only meet at a corner.
  private func join(_ row: Int, _ earlier: Int, slack: Bool) {
    let extra: UInt32 = slack ? 1 : 0
    let start = starts.base
    let end = ends.base
    var i = Int(rowStarts[row])
    let lastI = Int(rowStarts[row + 1])
    var j = Int(rowStarts[earlier])
    let lastJ = Int(rowStarts[earlier + 1])
    while i < lastI && j < lastJ {
      if end[j] &+ extra <= start[i] {
        j += 1
      } else if end[i] &+ extra <= start[j] {
        i += 1
      } else {
        unite(parents.base, UInt32(truncatingIfNeeded: i), UInt32(truncatingIfNeeded: j))
        if end[j] < end[i] { j += 1 } else { i += 1 }
      }
    }
  }

  private func collect(_ block: Block, _ grid: BlockGrid, _ findsBorder: Bool) -> LabelledBlock {
    let count = starts.count
    let width = UInt32(block.shape.x)
    var runs: [Run] = []
    runs.reserveCapacity(count)
    var firstVoxels: [UInt32] = []
    var counts: [UInt32] = []
    var border: [Bool] = []
    for row in 0..<block.rowCount {
      let edgeRow = findsBorder && isBorder(row, block, grid)
      for run in Int(rowStarts[row])..<Int(rowStarts[row + 1]) {
        let start = starts.base[run]
        let end = ends.base[run]
        let parent = Int(parents.base[run])
        let component: UInt32
        if parent == run {
          component = UInt32(truncatingIfNeeded: firstVoxels.count)
          firstVoxels.append(UInt32(truncatingIfNeeded: row) &* width &+ start)
          counts.append(end - start)
          if findsBorder { border.append(false) }
        } else {
          // A parent is an earlier run, so its component is known.
          component = runs[parent].component
          counts[Int(component)] += end - start
        }
        runs.append(Run(start: start, end: end, component: component))
        if findsBorder {
          let touches =
            edgeRow || block.origin.x + Int(start) == grid.border.low.x
            || block.origin.x + Int(end) == grid.border.high.x
          if touches { border[Int(component)] = true }
        }
      }
    }
    return LabelledBlock(
      block: block, rowStarts: rowStarts, runs: runs, firstVoxels: firstVoxels, counts: counts,
      touchesBorder: border)
  }

  private func isBorder(_ row: Int, _ block: Block, _ grid: BlockGrid) -> Bool {
    let z = block.origin.z + row / block.shape.y
    let y = block.origin.y + row % block.shape.y
    let border = grid.border
    let atPlane = border.hasDepth && (z == border.low.z || z == border.high.z - 1)
    return atPlane || y == border.low.y || y == border.high.y - 1
  }
}

import OMGrid

/// How many objects begin in one row of a block.
package struct RowCount: BitwiseCopyable, Sendable, Equatable {
  /// The row within the layer of blocks: z from the layer's first plane, times the rows of a
  /// plane, plus y.
  package var row: UInt32
  /// How many objects begin there.
  package var count: UInt32

  /// Makes a count.
  package init(row: UInt32, count: UInt32) {
    self.row = row
    self.count = count
  }
}

/// The rows of one block in which objects begin.
package struct BlockRowCounts: Sendable, Equatable {
  /// The block's place along x: in one row, blocks with a smaller place come first.
  package var place: Int
  /// The rows in ascending order.
  package var rows: [RowCount]

  /// Makes the counts of a block.
  package init(place: Int, rows: [RowCount]) {
    self.place = place
    self.rows = rows
  }
}

/// Numbers the objects of one layer of blocks (all blocks of a volume with the same place in z) by
/// the raster order of their first voxels, without sorting them.
///
/// Raster order is row by row, and in one row block by block along x. So the number of an object is
/// the count of those in earlier rows, in the same row of earlier blocks, and before it in its own.
///
/// - Parameters:
///   - blocks: The counts of every block of the layer.
///   - rowCount: The rows of the layer.
/// - Returns: For each block and each of its rows the number of objects before the first one there,
///   and the number of objects in the layer.
package func numberRows(_ blocks: [BlockRowCounts], rowCount: Int) -> (
  starts: [[UInt64]], total: UInt64
) {
  var next = [UInt64](repeating: 0, count: rowCount)
  for block in blocks {
    for entry in block.rows { next[Int(entry.row)] += UInt64(entry.count) }
  }
  var total: UInt64 = 0
  for row in 0..<rowCount {
    let here = next[row]
    next[row] = total
    total += here
  }
  var starts = blocks.map { [UInt64](repeating: 0, count: $0.rows.count) }
  for number in blocks.indices.sorted(by: { blocks[$0].place < blocks[$1].place }) {
    for (index, entry) in blocks[number].rows.enumerated() {
      starts[number][index] = next[Int(entry.row)]
      next[Int(entry.row)] += UInt64(entry.count)
    }
  }
  return (starts, total)
}

package import OMGrid
package import OMTask

/// The regions of a label image: unions of whole write units that stay within one (t, c) volume
/// wherever the write units allow it.
///
/// The grid is a function of the layout alone, never of ranks, threads or memory.
package struct RegionGrid: Sendable {
  /// The cells, in axes of the label image.
  package let cells: ChunkGrid
  /// The write units, in axes of the label image.
  package let units: ChunkGrid

  /// Makes the grid.
  ///
  /// - Parameters:
  ///   - shape: The shape of the label image.
  ///   - unit: The shape of a write unit.
  ///   - spatialAxes: How many of the last axes are spatial; only these are grown.
  ///   - depth: How many voxels are read for one that is made.
  ///   - reach: How much of a volume a region must hold.
  package init(
    shape: [Int], unit: [Int], spatialAxes: Int, depth: Int = 1, reach: TileReach = .any
  ) {
    units = ChunkGrid(arrayShape: shape, cellShape: unit)
    let voxels = shape.reduce(1, *) * depth
    // Some dozens of regions keep workers busy; below a million voxels their surface costs more.
    let target = min(1 << 24, max(1 << 20, voxels / 64)) / depth
    var cell = unit
    let covered = reach == .any ? 0 : reach == .plane ? 2 : spatialAxes
    for axis in shape.count - covered..<shape.count {
      cell[axis] = max(1, (shape[axis] + unit[axis] - 1) / unit[axis]) * unit[axis]
    }
    var grown = true
    while grown {
      grown = false
      for axis in (shape.count - spatialAxes..<shape.count).reversed() {
        let doubled = cell[axis] * 2
        let size = cell.reduce(1, *)
        if cell[axis] < shape[axis] && size * 2 <= target {
          cell[axis] = doubled
          grown = true
        }
      }
    }
    cells = ChunkGrid(arrayShape: shape, cellShape: cell)
  }

  /// All regions in locality order.
  package func regions() -> [Region] { localityOrder(of: cells.gridShape).map(cells.region(at:)) }
}

package import OMGrid
package import OMTask

/// How many write units of an output make one region.
package enum RegionGrowth: Sendable, Equatable {
  /// As many as are good for the machine: a function of the layout alone.
  case usual
  /// So many along z, y and x; for trials, which want regions that no run has.
  ///
  /// Regions are part of what an unfinished run left, so no run that goes on later may use it.
  case units(Vector3)
}

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
  ///   - growth: How many write units a region has where `reach` leaves that open.
  package init(
    shape: [Int], unit: [Int], spatialAxes: Int, depth: Int = 1, reach: TileReach = .any,
    growth: RegionGrowth = .usual
  ) {
    units = ChunkGrid(arrayShape: shape, cellShape: unit)
    if case .units(let counts) = growth {
      let cell = RegionGrid.cell(shape, unit, spatialAxes, reach, counts)
      cells = ChunkGrid(arrayShape: shape, cellShape: cell)
      return
    }
    let voxels = shape.reduce(1, *) * depth
    // Some dozens of regions keep workers busy; below a million voxels their surface costs more.
    let target = min(1 << 24, max(1 << 20, voxels / 64)) / depth
    var cell = RegionGrid.cell(shape, unit, spatialAxes, reach, Vector3(1, 1, 1))
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

  /// So many units along z, y and x, and whole lines of them where the reach asks for that.
  private static func cell(
    _ shape: [Int], _ unit: [Int], _ spatialAxes: Int, _ reach: TileReach, _ counts: Vector3
  ) -> [Int] {
    var cell = unit
    let covered = reach == .any ? 0 : reach == .plane ? 2 : spatialAxes
    for (place, count) in [counts.x, counts.y, counts.z].prefix(spatialAxes).enumerated() {
      let axis = shape.count - 1 - place
      let all = max(1, (shape[axis] + unit[axis] - 1) / unit[axis])
      cell[axis] = unit[axis] * (place < covered ? all : min(all, max(1, count)))
    }
    return cell
  }

  /// All regions in locality order.
  package func regions() -> [Region] { localityOrder(of: cells.gridShape).map(cells.region(at:)) }
}

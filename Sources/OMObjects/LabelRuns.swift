import OMGrid

extension LabelledBlock {
  /// Makes a block of labels that something else found: equal numbers are one component, 0 is none.
  ///
  /// The numbers need not be dense, nor the voxels of one number connected; components come out in
  /// raster order of their first voxels, whatever the numbers were.
  ///
  /// - Parameters:
  ///   - labels: The voxels of the block in C order; where blocks overlap, those of the grown block.
  ///   - block: Where it lies.
  ///   - grid: The volumes around it.
  /// - Precondition: The block has fewer than 2^32 voxels.
  package init(labels: UnsafePointer<UInt32>, block: Block, in grid: BlockGrid) {
    let width = block.shape.x
    let outer = grid.grown(block)
    let offset = Vector3(
      block.origin.z - outer.origin.z, block.origin.y - outer.origin.y,
      block.origin.x - outer.origin.x)
    var rowStarts: [UInt32] = []
    rowStarts.reserveCapacity(block.rowCount + 1)
    var runs: [Run] = []
    var firstVoxels: [UInt32] = []
    var counts: [UInt32] = []
    var known: [UInt32: UInt32] = [:]
    var (last, lastComponent): (UInt32, UInt32) = (0, 0)
    for row in 0..<block.rowCount {
      rowStarts.append(UInt32(truncatingIfNeeded: runs.count))
      let (z, y) = (offset.z + row / block.shape.y, offset.y + row % block.shape.y)
      let line = labels + (z * outer.shape.y + y) * outer.shape.x + offset.x
      var x = 0
      while x < width {
        let label = line[x]
        let start = x
        repeat { x += 1 } while x < width && line[x] == label
        if label == 0 { continue }
        if label != last {
          last = label
          if let component = known[label] {
            lastComponent = component
          } else {
            lastComponent = UInt32(truncatingIfNeeded: firstVoxels.count)
            known[label] = lastComponent
            firstVoxels.append(UInt32(truncatingIfNeeded: row * width + start))
            counts.append(0)
          }
        }
        counts[Int(lastComponent)] += UInt32(truncatingIfNeeded: x - start)
        runs.append(
          Run(
            start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: x),
            component: lastComponent))
      }
    }
    rowStarts.append(UInt32(truncatingIfNeeded: runs.count))
    self.init(
      block: block, rowStarts: rowStarts, runs: runs, firstVoxels: firstVoxels, counts: counts,
      touchesBorder: [])
    if grid.overlap != nil { outerRuns = seen(labels, outer, known, grid) }
  }

  /// The runs of the grown block that a neighbour sees too.
  private func seen(
    _ labels: UnsafePointer<UInt32>, _ outer: Block, _ known: [UInt32: UInt32], _ grid: BlockGrid
  ) -> [SurfaceRun] {
    var outside: UInt32 = 0
    for (number, direction) in BlockGrid.directions.enumerated()
    where grid.neighbour(of: block.position, direction) != nil {
      outside |= 1 << UInt32(number)
    }
    let sides = Sides(outside)
    var found: [SurfaceRun] = []
    if sides.isClosed { return found }
    for row in 0..<outer.rowCount {
      let line = labels + row * outer.shape.x
      var x = 0
      while x < outer.shape.x {
        let (label, start) = (line[x], x)
        repeat { x += 1 } while x < outer.shape.x && line[x] == label
        guard label != 0, let component = known[label] else { continue }
        let run = SurfaceRun(
          row: UInt32(truncatingIfNeeded: row), start: UInt32(truncatingIfNeeded: start),
          end: UInt32(truncatingIfNeeded: x), component: component)
        if sides.touches(run, of: block, in: grid) { found.append(run) }
      }
    }
    return found
  }

  /// The number of voxels of all components.
  package var voxelCount: Int { counts.reduce(0) { $0 + Int($1) } }
}

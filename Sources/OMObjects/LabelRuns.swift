import OMGrid

extension LabelledBlock {
  /// Makes a block of labels that something else found: equal numbers are one component, 0 is none.
  ///
  /// The numbers need not be dense, nor the voxels of one number connected; components come out in
  /// raster order of their first voxels, whatever the numbers were.
  ///
  /// - Parameters:
  ///   - labels: The voxels of the block in C order.
  ///   - block: Where it lies.
  /// - Precondition: The block has fewer than 2^32 voxels.
  package init(labels: UnsafePointer<UInt32>, block: Block) {
    let width = block.shape.x
    var rowStarts: [UInt32] = []
    rowStarts.reserveCapacity(block.rowCount + 1)
    var runs: [Run] = []
    var firstVoxels: [UInt32] = []
    var counts: [UInt32] = []
    var known: [UInt32: UInt32] = [:]
    var (last, lastComponent): (UInt32, UInt32) = (0, 0)
    for row in 0..<block.rowCount {
      rowStarts.append(UInt32(truncatingIfNeeded: runs.count))
      let line = labels + row * width
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
  }

  /// The number of voxels of all components.
  package var voxelCount: Int { counts.reduce(0) { $0 + Int($1) } }
}

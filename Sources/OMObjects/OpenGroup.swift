import OMGrid

/// A run at the surface of a block, as a neighbour must know it.
package struct SurfaceRun: BitwiseCopyable, Sendable, Equatable {
  /// The row within the block (z before y).
  var row: UInt32
  /// The first voxel within the row.
  var start: UInt32
  /// One past the last voxel.
  var end: UInt32
  /// The component, counted in the group that holds the block.
  var component: UInt32
}

/// The surface of one block.
package struct BlockSurface: Sendable, Equatable {
  /// Where the block lies.
  package var block: Block
  /// The directions in which a neighbour is outside the group: bit n for direction n of the grid.
  ///
  /// Neighbours that were joined before are remembered here, since those that are closed in by now
  /// are no longer in the group.
  package var outside: UInt32
  /// The runs that a neighbour outside can touch, in raster order.
  package var runs: [SurfaceRun]
  /// The object of each run as its block counts them, whatever is joined.
  ///
  /// Only where blocks are compared in the voxels that they share; empty where they touch.
  package var objects: [UInt32]

  /// Makes a surface.
  package init(block: Block, outside: UInt32, runs: [SurfaceRun], objects: [UInt32] = []) {
    self.block = block
    self.outside = outside
    self.runs = runs
    self.objects = objects
  }
}

/// Blocks whose components are joined among themselves, seen from outside.
///
/// Only components that reach a neighbour outside the group are in it, so a group is as large as
/// its surface; inner components never travel.
package struct OpenGroup: Sendable, Equatable {
  /// The surfaces of blocks that have a neighbour outside the group.
  package var surfaces: [BlockSurface]
  /// What is known so far of each open component.
  package var components: [ComponentFacts]

  /// Makes a group.
  package init(surfaces: [BlockSurface], components: [ComponentFacts]) {
    self.surfaces = surfaces
    self.components = components
  }
}

/// The surface of one labelled block, and which of the block's components are in it.
package struct BlockOpening: Sendable {
  /// The group of this block alone.
  package var group: OpenGroup
  /// For each component of the group its number within the block.
  package var members: [UInt32]
}

extension LabelledBlock {
  /// The surface of this block towards neighbours in its volume.
  package func opening(in grid: BlockGrid) -> BlockOpening {
    var outside: UInt32 = 0
    for (number, direction) in BlockGrid.directions.enumerated()
    where grid.neighbour(of: block.position, direction) != nil {
      outside |= 1 << UInt32(number)
    }
    let sides = Sides(outside)
    var surface: [SurfaceRun] = []
    var members: [UInt32] = []
    if sides.isClosed {
      return BlockOpening(group: OpenGroup(surfaces: [], components: []), members: [])
    }
    if grid.overlap != nil { return overlapping(grid, outside, sides) }
    var slots = [Int32](repeating: -1, count: componentCount)
    for row in 0..<block.rowCount {
      let whole = sides.touchesRow(row, of: block)
      let range = Int(rowStarts[row])..<Int(rowStarts[row + 1])
      if !whole && !sides.low.x && !sides.high.x { continue }
      for index in range {
        let run = runs[index]
        guard whole || sides.touchesEnds(run.start, run.end, of: block) else { continue }
        let component = Int(run.component)
        if slots[component] < 0 {
          slots[component] = Int32(members.count)
          members.append(run.component)
        }
        surface.append(
          SurfaceRun(
            row: UInt32(row), start: run.start, end: run.end,
            component: UInt32(slots[component])))
      }
    }
    let known = members.map { facts(of: Int($0), in: grid) }
    return BlockOpening(
      group: OpenGroup(
        surfaces: [BlockSurface(block: block, outside: outside, runs: surface)], components: known),
      members: members)
  }
}

extension LabelledBlock {
  /// The surface of a block that is compared with its neighbours where both see the same voxels.
  private func overlapping(
    _ grid: BlockGrid, _ outside: UInt32, _ sides: Sides
  ) -> BlockOpening {
    var surface: [SurfaceRun] = []
    var objects: [UInt32] = []
    var members: [UInt32] = []
    var slots = [Int32](repeating: -1, count: componentCount)
    for var run in outerRuns where sides.touches(run, of: block, in: grid) {
      let component = Int(run.component)
      if slots[component] < 0 {
        slots[component] = Int32(members.count)
        members.append(run.component)
      }
      objects.append(run.component)
      run.component = UInt32(slots[component])
      surface.append(run)
    }
    let known = members.map { facts(of: Int($0), in: grid) }
    let seen = BlockSurface(block: block, outside: outside, runs: surface, objects: objects)
    return BlockOpening(group: OpenGroup(surfaces: [seen], components: known), members: members)
  }
}

/// Which sides of a block have a neighbour that is not in the group.
struct Sides {
  struct Flags {
    var z = false
    var y = false
    var x = false
  }

  var low = Flags()
  var high = Flags()

  init(_ outside: UInt32) {
    for (number, direction) in BlockGrid.directions.enumerated()
    where outside >> UInt32(number) & 1 != 0 {
      open(direction)
    }
  }

  var isClosed: Bool { !(low.z || low.y || low.x || high.z || high.y || high.x) }

  /// Opens the sides that a neighbour in this direction touches.
  private mutating func open(_ direction: Vector3) {
    if direction.z < 0 { low.z = true } else if direction.z > 0 { high.z = true }
    if direction.y < 0 { low.y = true } else if direction.y > 0 { high.y = true }
    if direction.x < 0 { low.x = true } else if direction.x > 0 { high.x = true }
  }

  /// Whether a neighbour that is not in the group must know a run.
  func touches(_ run: SurfaceRun, of block: Block, in grid: BlockGrid) -> Bool {
    if grid.overlap != nil { return overlaps(run, block, grid) }
    return touchesRow(Int(run.row), of: block) || touchesEnds(run.start, run.end, of: block)
  }

  /// Whether a run of the grown block may be seen by a neighbour on an open side.
  private func overlaps(_ run: SurfaceRun, _ block: Block, _ grid: BlockGrid) -> Bool {
    let (tile, far) = (grid.grown(block), grid.overlap ?? Vector3(0, 0, 0))
    let z = tile.origin.z + Int(run.row) / tile.shape.y
    let y = tile.origin.y + Int(run.row) % tile.shape.y
    let (start, end) = (tile.origin.x + Int(run.start), tile.origin.x + Int(run.end))
    let (low, high) = (self.low, self.high)
    return (low.z && z < block.origin.z + far.z) || (low.y && y < block.origin.y + far.y)
      || (low.x && start < block.origin.x + far.x)
      || (high.z && z >= block.origin.z + block.shape.z - far.z)
      || (high.y && y >= block.origin.y + block.shape.y - far.y)
      || (high.x && end > block.origin.x + block.shape.x - far.x)
  }

  /// Whether a whole row lies on an open side.
  func touchesRow(_ row: Int, of block: Block) -> Bool {
    let z = row / block.shape.y
    let y = row % block.shape.y
    return (low.z && z == 0) || (high.z && z == block.shape.z - 1) || (low.y && y == 0)
      || (high.y && y == block.shape.y - 1)
  }

  /// Whether a run reaches an open end of its row.
  func touchesEnds(_ start: UInt32, _ end: UInt32, of block: Block) -> Bool {
    (low.x && start == 0) || (high.x && Int(end) == block.shape.x)
  }
}

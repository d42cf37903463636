import OMGrid

extension BlockGrid {
  /// The voxels that a block was labelled in: its own, and those around it as far as there are any.
  package func grown(_ block: Block) -> Block {
    let far = overlap ?? Vector3(0, 0, 0)
    let low = Vector3(
      max(0, block.origin.z - far.z), max(0, block.origin.y - far.y), max(0, block.origin.x - far.x)
    )
    let high = Vector3(
      min(volumeShape.z, block.origin.z + block.shape.z + far.z),
      min(volumeShape.y, block.origin.y + block.shape.y + far.y),
      min(volumeShape.x, block.origin.x + block.shape.x + far.x))
    return Block(
      volume: block.volume, position: block.position, origin: low,
      shape: Vector3(high.z - low.z, high.y - low.y, high.x - low.x))
  }
}

/// Compares the objects of two neighbouring blocks in the voxels that both were labelled in.
///
/// Two objects are one when the voxels that both have are more than half of those that one of them has
/// (an intersection over union above 1/2). So an object has one partner at most in each neighbour, and
/// which objects are joined does not depend on any order.
struct Overlap {
  let grid: BlockGrid
  /// The union-find forest over the components of all groups.
  let parents: UnsafeMutablePointer<UInt32>

  /// Joins the objects of two blocks.
  ///
  /// - Parameters:
  ///   - here: The surface of one block.
  ///   - hereBase: Where its components begin in the forest.
  ///   - there: The surface of the other.
  ///   - thereBase: Where its components begin in the forest.
  func join(_ here: BlockSurface, _ hereBase: Int, _ there: BlockSurface, _ thereBase: Int) {
    let (mine, theirs) = (grid.grown(here.block), grid.grown(there.block))
    guard let shared = SharedBox(mine, theirs) else { return }
    let (one, other) = (shared.lines(here, mine), shared.lines(there, theirs))
    // Objects of one block that were joined by now, through others, are compared one by one all the same:
    // otherwise the order would matter.
    let (sizes, otherSizes) = (Sizes(one), Sizes(other))
    var common: [Pair: Int] = [:]
    var next = 0
    for line in one {
      while next < other.count && other[next].end <= line.start { next += 1 }
      var index = next
      while index < other.count && other[index].start < line.end {
        let voxels = min(line.end, other[index].end) - max(line.start, other[index].start)
        common[Pair(one: line.object, other: other[index].object), default: 0] += voxels
        index += 1
      }
    }
    for (pair, voxels) in common {
      // More than half of the union: twice the common voxels above the sum without them.
      guard let mine = sizes.objects[pair.one], let theirs = otherSizes.objects[pair.other],
        3 * voxels > mine.voxels + theirs.voxels
      else { continue }
      unite(
        parents, UInt32(truncatingIfNeeded: hereBase) + mine.component,
        UInt32(truncatingIfNeeded: thereBase) + theirs.component)
    }
  }

  /// How many voxels each object of a block has in the shared box, and which component it is part of.
  private struct Sizes {
    private(set) var objects: [UInt32: (voxels: Int, component: UInt32)] = [:]

    init(_ lines: [SharedBox.Line]) {
      for line in lines {
        objects[line.object, default: (0, line.component)].voxels += line.end - line.start
      }
    }
  }

  private struct Pair: Hashable {
    let one: UInt32
    let other: UInt32
  }
}

/// The box that two grown blocks share.
private struct SharedBox {
  /// A run as a range of the voxels of the box in C order.
  struct Line {
    let start: Int
    let end: Int
    /// The object, as its block counts them.
    let object: UInt32
    /// The component that it is part of, counted in the group.
    let component: UInt32
  }

  let origin: Vector3
  let shape: Vector3

  init?(_ one: Block, _ other: Block) {
    origin = Vector3(
      max(one.origin.z, other.origin.z), max(one.origin.y, other.origin.y),
      max(one.origin.x, other.origin.x))
    shape = Vector3(
      min(one.origin.z + one.shape.z, other.origin.z + other.shape.z) - origin.z,
      min(one.origin.y + one.shape.y, other.origin.y + other.shape.y) - origin.y,
      min(one.origin.x + one.shape.x, other.origin.x + other.shape.x) - origin.x)
    if shape.z <= 0 || shape.y <= 0 || shape.x <= 0 { return nil }
  }

  /// The parts of the runs of a surface that lie in the box, in C order.
  func lines(_ surface: BlockSurface, _ tile: Block) -> [Line] {
    var lines: [Line] = []
    for (run, object) in zip(surface.runs, surface.objects) {
      let z = tile.origin.z + Int(run.row) / tile.shape.y - origin.z
      let y = tile.origin.y + Int(run.row) % tile.shape.y - origin.y
      guard 0..<shape.z ~= z, 0..<shape.y ~= y else { continue }
      let low = max(0, tile.origin.x + Int(run.start) - origin.x)
      let high = min(shape.x, tile.origin.x + Int(run.end) - origin.x)
      if low >= high { continue }
      let row = (z * shape.y + y) * shape.x
      lines.append(
        Line(start: row + low, end: row + high, object: object, component: run.component))
    }
    return lines
  }
}

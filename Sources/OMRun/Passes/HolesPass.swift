import OMCodecs
import OMGrid
import OMJSON
import OMObjects
import OMTask

/// Finds the background of a region of labels, and which labels lie around it.
struct HolesPass<Label: FixedWidthInteger & UnsignedInteger & BitwiseCopyable> {
  let shaped: ShapedLabels<Label>
  private var plan: LabelPlan { shaped.plan }

  /// Finds the components of background of a region, one block for each volume.
  func run(_ region: Region, _ worker: Worker) throws -> RegionObjects {
    var result = RegionObjects()
    for part in plan.parts(of: region) {
      guard let box = try shaped.make(part, margin: plan.holeMargin, worker) else { continue }
      let inner = Inner(plan, part, box)
      fillMask(inner, worker.mask)
      var block = worker.labeller.label(
        worker.mask, block: plan.block(part), in: plan.holeGrid, order: 1, findsBorder: true)
      block.surroundings = surroundings(of: block, inner)
      result.blocks.append(block)
    }
    return result
  }

  /// The voxels of a part within the labels around it.
  private struct Inner {
    let labels: UnsafePointer<Label>
    /// All labels.
    let outer: Vector3
    /// The part.
    let shape: Vector3
    /// Its first voxel in the labels.
    let offset: Vector3

    init(_ plan: LabelPlan, _ part: VolumePart, _ box: ShapedLabels<Label>.Box) {
      labels = UnsafePointer(box.labels)
      outer = box.shape
      shape = plan.axes.vector(part.source.shape)
      let (here, low) = (
        plan.axes.position(part.source.origin), plan.axes.position(box.region.origin)
      )
      offset = Vector3(here.z - low.z, here.y - low.y, here.x - low.x)
    }

    /// The row at a place of the part, which may lie just outside; nil beyond the labels.
    func row(_ z: Int, _ y: Int) -> UnsafePointer<Label>? {
      let (z, y) = (z + offset.z, y + offset.y)
      guard 0..<outer.z ~= z, 0..<outer.y ~= y else { return nil }
      return labels + (z * outer.y + y) * outer.x
    }
  }

  private func fillMask(_ inner: Inner, _ mask: BitRows) {
    let shape = inner.shape
    mask.clear(rows: shape.z * shape.y, length: shape.x)
    for z in 0..<shape.z {
      for y in 0..<shape.y {
        guard let row = inner.row(z, y).map({ $0 + inner.offset.x }) else { continue }
        var x = 0
        while x < shape.x {
          let start = x
          while x < shape.x && row[x] == 0 { x += 1 }
          if x > start { mask.fill(row: z * shape.y + y, from: start, to: x) }
          while x < shape.x && row[x] != 0 { x += 1 }
        }
      }
    }
  }

  private func surroundings(of block: LabelledBlock, _ inner: Inner) -> [Surroundings] {
    var found = [Surroundings](repeating: Surroundings(), count: block.componentCount)
    let steps = plan.holeMargin.z == 0 ? [(0, -1), (0, 1)] : [(-1, 0), (0, -1), (0, 1), (1, 0)]
    for row in 0..<block.block.rowCount {
      let (z, y) = (row / inner.shape.y, row % inner.shape.y)
      guard let line = inner.row(z, y) else { continue }
      let others = steps.compactMap { inner.row(z + $0.0, y + $0.1) }
      for run in block.runs(ofRow: row) {
        let component = Int(run.component)
        // Two labels are as many as it takes, and the border ends it too.
        if found[component].isMixed || block.touchesBorder[component] { continue }
        let (low, high) = (inner.offset.x + Int(run.start), inner.offset.x + Int(run.end))
        if low > 0 { found[component].add(UInt64(line[low - 1])) }
        if high < inner.outer.x { found[component].add(UInt64(line[high])) }
        for other in others {
          for x in low..<high where other[x] != 0 { found[component].add(UInt64(other[x])) }
        }
      }
    }
    return found
  }
}

extension LabelPlan {
  /// The grid of blocks in which background is joined.
  var holeGrid: BlockGrid {
    let isPlanar = recipe.filter?.holes?.axes == .yx
    let grid = blockGrid
    // A single plane is no border: all background would touch it.
    let hasDepth = !isPlanar && axes.space.count == 3 && selection.bounds.shape[axes.space[0]] > 1
    return BlockGrid(
      volumes: grid.volumes, volumeShape: grid.volumeShape, gridShape: grid.gridShape,
      border: grid.border.withDepth(hasDepth), joinsPlanes: !isPlanar)
  }
}

/// Joins the background of all regions and ranks, and finds out what of it is a hole, and of which label.
///
/// As for objects no rank ever holds all components; see `ObjectResolution`. Every call is *collective*.
struct HoleResolution {
  let grid: BlockGrid
  let holes: LabelHoles
  let communicator: any Communicator

  /// Finds for every component of background the label that it becomes; 0 leaves it.
  ///
  /// - Parameters:
  ///   - blocks: The blocks of this rank; they get their `numbers`.
  ///   - openings: The surfaces of these blocks.
  /// - Throws: What the communicator throws.
  func resolve(_ blocks: inout [LabelledBlock], _ openings: [BlockOpening]) throws(Fault) {
    let tree = try MergeTree(
      GroupMerge(openings.map(\.group), in: grid, order: 1), grid, 1, communicator)
    let facts = try tree.finalFacts()
    for index in blocks.indices {
      let joined = tree.own.joined(index)
      var numbers = (0..<blocks[index].componentCount).map {
        label(of: blocks[index].facts(of: $0, in: grid))
      }
      for (slot, member) in openings[index].members.enumerated() {
        numbers[Int(member)] = label(of: facts[Int(joined[slot])])
      }
      blocks[index].numbers = numbers
    }
  }

  private func label(of facts: ComponentFacts) -> UInt64 {
    if facts.touchesBorder { return 0 }
    if let most = holes.maximumSize, facts.count > UInt64(max(0, most)) { return 0 }
    return facts.surroundings.only ?? 0
  }
}

import OMGrid
import TestSupport
import Testing

@testable import OMObjects

/// How a small volume is cut into blocks, and what is in it.
struct Cut: Sendable, CustomTestStringConvertible {
  let pattern: MaskPattern
  let block: Box.Size

  var testDescription: String { "\(pattern) in blocks of \(block.z)x\(block.y)x\(block.x)" }

  static let shape = Box.Size(9, 10, 23)
  static let blocks = [
    Box.Size(1, 1, 7), Box.Size(2, 3, 5), Box.Size(4, 4, 4), Box.Size(1, 10, 23),
    Box.Size(9, 1, 23), Box.Size(9, 10, 2), Box.Size(5, 5, 12),
  ]
  static let all = blocks.flatMap { block in
    MaskPattern.allCases.map { Cut(pattern: $0, block: block) }
  }

  var volume: CutVolumes { CutVolumes([pattern], Cut.shape, block: block) }
}

@Suite struct GroupMergeTests {
  @Test(arguments: Cut.all)
  func `blocks merged at once are the whole volume`(cut: Cut) {
    for order in 1...3 { expectWhole(cut.volume, order, .atOnce) }
  }

  @Test(arguments: Cut.all)
  func `groups of groups are the whole volume`(cut: Cut) {
    for (order, tree) in [(1, MergeShape.ranks(3)), (2, .ranks(2)), (3, .scattered(5))] {
      expectWhole(cut.volume, order, tree)
    }
  }

  @Test(arguments: MergeShape.allCases, 1...3)
  func `any tree of groups joins the same objects`(tree: MergeShape, order: Int) {
    for pattern in [MaskPattern.tangled, .snake, .corners] {
      let volume = CutVolumes([pattern], Cut.shape, block: Box.Size(4, 3, 6))
      expectWhole(volume, order, tree)
    }
  }

  @Test(arguments: 1...3)
  func `volumes never touch`(order: Int) {
    for tree in [MergeShape.atOnce, .ranks(3), .scattered(4)] {
      let volume = CutVolumes(
        [.full, .tangled, .full, .empty, .comb], Box.Size(3, 5, 11), block: Box.Size(2, 2, 4))
      expectWhole(volume, order, tree)
    }
  }

  @Test(
    arguments: [
      Box(low: Box.Size(0, 0, 0), high: Box.Size(9, 10, 23)),
      Box(low: Box.Size(2, 3, 5), high: Box.Size(7, 9, 20)),
      Box(low: Box.Size(4, 0, 22), high: Box.Size(5, 10, 23)),
      Box(low: Box.Size(3, 4, 0), high: Box.Size(9, 5, 23)),
    ], [true, false])
  func `the border is that of the selection`(part: Box, hasDepth: Bool) {
    for pattern in [MaskPattern.tangled, .sparse, .checkerboard, .full] {
      for tree in [MergeShape.atOnce, .ranks(3)] {
        let volume = CutVolumes(
          [pattern], Cut.shape, block: Box.Size(4, 3, 6), part: part, hasDepth: hasDepth)
        expectWhole(volume, 1, tree)
      }
    }
  }

  @Test(arguments: Cut.blocks)
  func `a whole volume leaves nothing open`(block: Box.Size) {
    let volume = CutVolumes([.full], Cut.shape, block: block)
    for tree in MergeShape.allCases {
      let root = MergeNode(tree.plan(volume.blocks.count), volume.openings(2), volume.grid, 2)
      #expect(root.merge.open == OpenGroup(surfaces: [], components: []), "\(tree)")
    }
  }

  @Test func `a block without neighbours has no surface`() {
    let volume = CutVolumes([.full], Cut.shape, block: Cut.shape)
    #expect(volume.openings(3)[0].group == OpenGroup(surfaces: [], components: []))
  }

  @Test func `components inside a block do not travel`() {
    // Single voxels, of which one block of 5 x 5 x 5 has many inside.
    let volume = CutVolumes([.corners], Cut.shape, block: Box.Size(5, 5, 12))
    let block = volume.label(volume.blocks[0], 1)
    let opening = block.opening(in: volume.grid)
    let reaches = (0..<block.componentCount).filter { component in
      let (z, y, x) = place(block, component)
      return z == 4 || y == 4 || x == 11
    }
    #expect(opening.members.map { Int($0) } == reaches)
    #expect(reaches.count < block.componentCount / 2)
  }

  private func place(_ block: LabelledBlock, _ component: Int) -> (Int, Int, Int) {
    let shape = block.block.shape
    let voxel = Int(block.firstVoxels[component])
    return (voxel / shape.x / shape.y, voxel / shape.x % shape.y, voxel % shape.x)
  }
}

/// Expects that cut volumes have the objects and the facts of whole ones.
func expectWhole(
  _ volume: CutVolumes, _ order: Int, _ tree: MergeShape,
  at place: SourceLocation = #_sourceLocation
) {
  let blocks = volume.blocks.map { volume.label($0, order) }
  let openings = blocks.map { $0.opening(in: volume.grid) }
  let root = MergeNode(tree.plan(blocks.count), openings, volume.grid, order)
  var facts = blocks.map { block in
    (0..<block.componentCount).map { block.facts(of: $0, in: volume.grid) }
  }
  root.visit(root.merge.open.components) { block, whole in
    for (slot, member) in openings[block].members.enumerated() {
      facts[block][Int(member)] = whole[slot]
    }
  }
  let floods = volume.floods(order)
  var wrong = 0
  var seen = 0
  for (number, block) in blocks.enumerated() {
    let flood = floods[block.block.volume]
    volume.visit(block) { voxel, component in
      seen += 1
      let found = facts[number][component]
      let label = flood.labels[voxel]
      let expected = label == 0 ? nil : flood.components[label - 1]
      let same =
        expected?.key == found.key && expected?.count == found.count
        && expected?.touchesBorder == found.touchesBorder
      if !same { wrong += 1 }
    }
  }
  let foreground = floods.reduce(0) { $0 + $1.labels.count { $0 != 0 } }
  #expect(seen == foreground, "order \(order), \(tree)", sourceLocation: place)
  #expect(wrong == 0, "order \(order), \(tree)", sourceLocation: place)
}

extension CutVolumes {
  /// The surfaces of all blocks.
  func openings(_ order: Int) -> [BlockOpening] {
    blocks.map { label($0, order).opening(in: grid) }
  }
}

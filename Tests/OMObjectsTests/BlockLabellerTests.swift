import TestSupport
import Testing

@testable import OMObjects

@Suite struct BlockLabellerTests {
  /// Shapes whose rows are shorter and longer than a word, with and without depth.
  static let shapes = [
    Box.Size(9, 10, 23), Box.Size(1, 12, 70), Box.Size(5, 1, 66), Box.Size(6, 7, 1),
    Box.Size(3, 3, 64), Box.Size(1, 1, 130), Box.Size(1, 1, 1),
  ]

  @Test(arguments: MaskPattern.allCases, shapes)
  func `components are those of a flood fill, in raster order`(
    pattern: MaskPattern, shape: Box.Size
  ) {
    let volume = CutVolumes([pattern], shape, block: shape)
    for order in 1...3 {
      let block = volume.label(volume.blocks[0], order)
      let flood = volume.floods(order)[0]
      var labels = [Int](repeating: 0, count: shape.count)
      volume.visit(block) { voxel, component in labels[voxel] = component + 1 }
      #expect(labels == flood.labels, "order \(order)")
      #expect(facts(block, volume) == flood.components, "order \(order)")
      #expect(block.firstVoxels.map { UInt64($0) } == flood.components.map(\.key))
    }
  }

  @Test(arguments: MaskPattern.allCases)
  func `an image without z has no border along z`(pattern: MaskPattern) {
    let shape = Box.Size(1, 9, 20)
    for hasDepth in [false, true] {
      let volume = CutVolumes([pattern], shape, block: shape, hasDepth: hasDepth)
      let block = volume.label(volume.blocks[0], 1)
      #expect(facts(block, volume) == volume.floods(1)[0].components)
      if hasDepth { #expect(block.touchesBorder.allSatisfy { $0 }) }
    }
  }

  @Test func `a voxel inside a plane without z touches no border`() {
    let shape = Box.Size(1, 3, 3)
    let flat = CutVolumes([.full], shape, block: shape, hasDepth: false)
    let rows = BitRows()
    rows.clear(rows: 3, length: 3)
    rows.fill(row: 1, from: 1, to: 2)
    let labeller = BlockLabeller()
    #expect(label(rows, flat, labeller).touchesBorder == [false])
    for (row, x) in [(0, 1), (2, 1), (1, 0), (1, 2)] {
      rows.clear(rows: 3, length: 3)
      rows.fill(row: row, from: x, to: x + 1)
      #expect(label(rows, flat, labeller).touchesBorder == [true], "row \(row), x \(x)")
    }
  }

  @Test func `a labeller that is used again remembers nothing`() {
    let labeller = BlockLabeller()
    let rows = BitRows()
    for pattern in MaskPattern.allCases + MaskPattern.allCases.reversed() {
      for shape in [Box.Size(4, 5, 70), Box.Size(2, 3, 5)] {
        let volume = CutVolumes([pattern], shape, block: shape)
        rows.clear(rows: shape.z * shape.y, length: shape.x)
        volume.masks[0].withUnsafeBufferPointer { mask in
          for row in 0..<shape.z * shape.y {
            if let base = mask.baseAddress {
              rows.insert(base + row * shape.x, count: shape.x, row: row, x: 0)
            }
          }
        }
        let again = label(rows, volume, labeller, order: 3)
        let fresh = volume.label(volume.blocks[0], 3)
        #expect(again.runs == fresh.runs, "\(pattern)")
        #expect(again.firstVoxels == fresh.firstVoxels, "\(pattern)")
        #expect(again.counts == fresh.counts, "\(pattern)")
      }
    }
  }

  @Test func `nobody is told of the border who did not ask`() {
    let shape = Box.Size(2, 3, 4)
    let volume = CutVolumes([.full], shape, block: shape)
    let rows = BitRows()
    rows.clear(rows: 6, length: 4)
    rows.fill(row: 0, from: 0, to: 4)
    let block = BlockLabeller().label(
      rows, block: volume.blocks[0], in: volume.grid, order: 1, findsBorder: false)
    #expect(block.touchesBorder.isEmpty)
    #expect(block.facts(of: 0, in: volume.grid).touchesBorder == false)
  }

  private func label(
    _ rows: BitRows, _ volume: CutVolumes, _ labeller: BlockLabeller, order: Int = 1
  ) -> LabelledBlock {
    labeller.label(
      rows, block: volume.blocks[0], in: volume.grid, order: order, findsBorder: true)
  }
}

/// What is known of each component of a block.
func facts(_ block: LabelledBlock, _ volume: CutVolumes) -> [Flood.Component] {
  (0..<block.componentCount).map { component($0, block, volume) }
}

private func component(
  _ number: Int, _ block: LabelledBlock, _ volume: CutVolumes
) -> Flood.Component {
  let facts = block.facts(of: number, in: volume.grid)
  return Flood.Component(key: facts.key, count: facts.count, touchesBorder: facts.touchesBorder)
}

import OMGrid
import TestSupport
import Testing

@testable import OMObjects

/// How a small volume of labels is cut into blocks, and what is in it.
struct LabelCut: Sendable, CustomTestStringConvertible {
  let pattern: LabelPattern
  let block: Box.Size

  var testDescription: String { "\(pattern) in blocks of \(block.z)x\(block.y)x\(block.x)" }

  static let all = Cut.blocks.flatMap { block in
    LabelPattern.allCases.map { LabelCut(pattern: $0, block: block) }
  }

  var volume: CutVolumes { CutVolumes(labels: [pattern], Cut.shape, block: block) }
}

@Suite struct EqualValuesTests {
  @Test(arguments: LabelPattern.allCases, BlockLabellerTests.shapes)
  func `parts are those of a flood fill that stays within a value`(
    pattern: LabelPattern, shape: Box.Size
  ) {
    let volume = CutVolumes(labels: [pattern], shape, block: shape)
    for order in 1...3 {
      let block = volume.label(volume.blocks[0], order)
      let flood = volume.floods(order)[0]
      var labels = [Int](repeating: 0, count: shape.count)
      volume.visit(block) { voxel, component in labels[voxel] = component + 1 }
      #expect(labels == flood.labels, "order \(order)")
      #expect(facts(block, volume) == flood.components, "order \(order)")
      let values = flood.components.map { UInt64(volume.masks[0][Int($0.key)]) }
      #expect(block.labels == values, "order \(order)")
    }
  }

  @Test(arguments: LabelCut.all)
  func `blocks of labels merged at once are the whole volume`(cut: LabelCut) {
    for order in 1...3 { expectWhole(cut.volume, order, .atOnce) }
  }

  @Test(arguments: MergeShape.allCases, 1...3)
  func `any tree of groups joins equal values only`(tree: MergeShape, order: Int) {
    for pattern in LabelPattern.allCases {
      let volume = CutVolumes(labels: [pattern], Cut.shape, block: Box.Size(4, 3, 6))
      expectWhole(volume, order, tree)
    }
  }

  @Test func `values of more than 32 bits that end alike are different`() {
    let labels: [UInt64] = [1, 1 << 32 | 1, .max, 1 << 63 | 1]
    for width in [1, 2, 4] {
      let grid = BlockGrid(
        volumes: 1, volumeShape: Vector3(1, 1, 4), gridShape: Vector3(1, 1, 4 / width),
        border: BlockGrid.Border(low: Vector3(0, 0, 0), high: Vector3(1, 1, 4), hasDepth: false))
      let blocks = (0..<4 / width).map { number in
        BlockLabeller().parts(
          of: Array(labels[number * width..<(number + 1) * width]),
          block: Block(
            volume: 0, position: Vector3(0, 0, number), origin: Vector3(0, 0, number * width),
            shape: Vector3(1, 1, width)), in: grid, order: 3, findsBorder: false)
      }
      let merge = GroupMerge(blocks.map { $0.opening(in: grid).group }, in: grid, order: 3)
      #expect(blocks.flatMap(\.labels) == labels)
      #expect(merge.componentCount == (width == 4 ? 0 : 4 / width))
      #expect(blocks.allSatisfy { $0.touchesBorder.isEmpty })
    }
  }
}

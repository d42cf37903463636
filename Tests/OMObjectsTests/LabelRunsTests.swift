import OMGrid
import Testing

@testable import OMObjects

@Suite struct LabelRunsTests {
  private let block = Block(
    volume: 0, position: Vector3(0, 0, 0), origin: Vector3(0, 0, 0), shape: Vector3(1, 3, 5))

  private func grid(of block: Block) -> BlockGrid {
    BlockGrid(
      volumes: 1, volumeShape: block.shape, gridShape: Vector3(1, 1, 1),
      border: BlockGrid.Border(low: Vector3(0, 0, 0), high: block.shape, hasDepth: false))
  }

  @Test func `labels of any numbers become components by their first voxels`() {
    let labels: [UInt32] = [
      0, 9, 9, 4, 4,
      4_000_000_000, 0, 9, 0, 4,
      9, 9, 0, 0, 1,
    ]
    let found = LabelledBlock(labels: labels, block: block, in: grid(of: block))
    #expect(found.firstVoxels == [1, 3, 5, 14])
    #expect(found.counts == [5, 3, 1, 1])
    #expect(found.voxelCount == 10)
    #expect(found.rowStarts == [0, 2, 5, 7])
    // Two that touch in a row are two runs.
    #expect(found.runs[0] == Run(start: 1, end: 3, component: 0))
    #expect(found.runs[1] == Run(start: 3, end: 5, component: 1))
  }

  @Test func `a block of background has no component`() {
    let found = LabelledBlock(
      labels: [UInt32](repeating: 0, count: 15), block: block, in: grid(of: block))
    #expect(found.componentCount == 0 && found.runs.isEmpty && found.rowStarts == [0, 0, 0, 0])
  }
}

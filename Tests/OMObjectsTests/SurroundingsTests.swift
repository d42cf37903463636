import OMGrid
import Testing

@testable import OMObjects

@Suite struct SurroundingsTests {
  @Test(
    arguments: [
      ([], nil), ([7], 7), ([7, 7, 0, 7], 7), ([7, 9], nil), ([0, .max], .max), ([1, 2, 1], nil),
    ] as [([UInt64], UInt64?)])
  func `one label around is told from none and from several`(labels: [UInt64], only: UInt64?) {
    for cut in 0...labels.count {
      var (one, other) = (Surroundings(), Surroundings())
      for label in labels[..<cut] { one.add(label) }
      for label in labels[cut...] { other.add(label) }
      var turned = other
      turned.join(one)
      one.join(other)
      #expect(one.only == only)
      #expect(turned.only == only)
    }
  }

  @Test(arguments: [true, false])
  func `planes join only in volumes`(joinsPlanes: Bool) {
    let size = Vector3(3, 2, 4)
    let grid = BlockGrid(
      volumes: 1, volumeShape: size, gridShape: Vector3(1, 1, 1),
      border: BlockGrid.Border(low: Vector3(0, 0, 0), high: size, hasDepth: true),
      joinsPlanes: joinsPlanes)
    let mask = BitRows()
    mask.clear(rows: 6, length: 4)
    for row in 0..<6 { mask.fill(row: row, from: 1, to: 3) }
    let block = Block(volume: 0, position: Vector3(0, 0, 0), origin: Vector3(0, 0, 0), shape: size)
    let found = BlockLabeller().label(mask, block: block, in: grid, order: 1, findsBorder: false)
    #expect(found.componentCount == (joinsPlanes ? 1 : 3))
  }
}

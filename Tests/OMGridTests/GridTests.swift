import OMGrid
import Testing

@Suite struct GridTests {
  static let grids: [([Int], [Int])] = [
    ([1], [1]), ([10], [3]), ([7, 5], [2, 5]), ([4, 6, 5], [3, 2, 7]),
    ([2, 1, 3, 3], [1, 4, 2, 3]),
  ]

  @Test(arguments: grids)
  func `cells hold every voxel once`(array: [Int], cell: [Int]) {
    let grid = ChunkGrid(arrayShape: array, cellShape: cell)
    var seen: Set<[Int]> = []
    for number in 0..<grid.count {
      let position = grid.position(of: number)
      #expect(grid.number(at: position) == number)
      let region = grid.region(at: position)
      #expect(!region.isEmpty && Region(wholeOf: array).contains(region))
      forEachPosition(in: region) { #expect(seen.insert($0).inserted) }
    }
    #expect(seen.count == array.reduce(1, *))
  }

  @Test(arguments: grids)
  func `cells that a region touches are those that intersect it`(array: [Int], cell: [Int]) {
    let grid = ChunkGrid(arrayShape: array, cellShape: cell)
    forEachPosition(in: Region(wholeOf: array)) { low in
      let region = Region(origin: low, shape: zip(array, low).map { ($0 - $1 + 1) / 2 })
      let touched = grid.cells(touching: region)
      forEachPosition(in: Region(wholeOf: grid.gridShape)) { position in
        let meets = grid.region(at: position).intersection(region) != nil
        #expect(touched.contains(Region(origin: position, shape: position.map { _ in 1 })) == meets)
      }
    }
  }

  @Test func `a region without voxels touches no cell`() {
    let grid = ChunkGrid(arrayShape: [4, 4], cellShape: [2, 2])
    #expect(grid.cells(touching: Region(origin: [2, 2], shape: [0, 1])).isEmpty)
  }

  @Test func `positions come in C order, and none of an empty box`() {
    var seen: [[Int]] = []
    forEachPosition(in: Region(origin: [1, 2], shape: [2, 2])) { seen.append($0) }
    #expect(seen == [[1, 2], [1, 3], [2, 2], [2, 3]])
    forEachPosition(in: Region(origin: [0, 0], shape: [3, 0])) { _ in Issue.record("a position") }
    var count = 0
    forEachPosition(in: Region(origin: [], shape: [])) { _ in count += 1 }
    #expect(count == 1)
  }

  @Test func `boxes meet in what both hold`() {
    let box = Region(origin: [2, 3], shape: [4, 5])
    #expect(
      box.intersection(Region(origin: [5, 0], shape: [9, 4]))
        == Region(origin: [5, 3], shape: [1, 1]))
    #expect(box.intersection(Region(origin: [6, 3], shape: [1, 1])) == nil)
    #expect(box.description == "2:6,3:8")
    #expect(rowMajorStrides([2, 3, 4]) == [12, 4, 1])
    #expect(rowMajorStrides([]) == [])
  }
}

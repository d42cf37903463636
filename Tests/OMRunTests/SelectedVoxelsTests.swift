import OMGrid
import Testing

@testable import OMRun

@Suite struct SelectedVoxelsTests {
  @Test func `a voxel in several boxes counts once`() throws {
    var numbers = SystemRandomNumberGenerator()
    for rank in 1...4 {
      for _ in 0..<20 {
        let boxes = (0..<Int.random(in: 1...6, using: &numbers)).map { _ in
          Region(
            origin: (0..<rank).map { _ in Int.random(in: 0..<5, using: &numbers) },
            shape: (0..<rank).map { _ in Int.random(in: 1...4, using: &numbers) })
        }
        var seen: Set<[Int]> = []
        for box in boxes { forEachPosition(in: box) { seen.insert($0) } }
        let selected = try #require(SelectedVoxels(anyOf: boxes))
        #expect(selected.count == seen.count, "\(boxes)")
        var found: Set<[Int]> = []
        for part in selected.parts(of: selected.bounds) {
          forEachPosition(in: part) { found.insert($0) }
        }
        #expect(found == seen, "\(boxes)")
      }
    }
  }

  @Test func `boxes that fill a box are that box`() throws {
    let tiles = [(0, 0), (0, 4), (3, 0), (3, 4)].map {
      Region(origin: [$0.0, $0.1], shape: [3, 4])
    }
    let whole = try #require(SelectedVoxels(anyOf: tiles))
    #expect(whole.boxes == nil)
    #expect(whole.bounds == Region(origin: [0, 0], shape: [6, 8]))
    #expect(try #require(SelectedVoxels(anyOf: Array(tiles.dropLast()))).boxes?.count == 3)
  }

  @Test func `no box selects nothing`() {
    #expect(SelectedVoxels(anyOf: []) == nil)
  }

  @Test func `only regions that hold a selected voxel are touched`() throws {
    let selected = try #require(
      SelectedVoxels(anyOf: [
        Region(origin: [0, 0], shape: [2, 2]), Region(origin: [8, 8], shape: [2, 2]),
      ]))
    #expect(selected.touches(Region(origin: [1, 1], shape: [3, 3])))
    #expect(!selected.touches(Region(origin: [2, 2], shape: [6, 6])))
    #expect(selected.count == 8)
  }
}

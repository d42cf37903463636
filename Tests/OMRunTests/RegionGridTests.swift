import OMGrid
import OMTask
import Testing

@testable import OMRun

@Suite struct RegionGridTests {
  static let layouts: [([Int], [Int], Int)] = [
    ([100, 100], [64, 64], 2), ([1, 1], [1, 1], 2), ([7, 33, 65], [1, 8, 16], 3),
    ([3, 2, 5, 40, 40], [1, 1, 5, 40, 40], 3), ([4, 3, 6, 50, 50], [2, 3, 4, 16, 16], 3),
    ([1, 1, 1, 1, 1], [1, 1, 64, 64, 64], 3), ([5, 300, 300], [1, 300, 1], 2),
    ([600, 2048, 2048], [64, 256, 256], 3), ([40, 4096, 4096], [1, 512, 512], 3),
  ]

  @Test(arguments: layouts)
  func `no write unit belongs to two regions, and each to one`(
    shape: [Int], unit: [Int], spatialAxes: Int
  ) {
    let grid = RegionGrid(shape: shape, unit: unit, spatialAxes: spatialAxes)
    var owner: [Int: Region] = [:]
    for region in grid.regions() {
      #expect(!region.isEmpty && Region(wholeOf: shape).contains(region))
      forEachPosition(in: grid.units.cells(touching: region)) { position in
        #expect(region.contains(grid.units.region(at: position)))
        #expect(owner.updateValue(region, forKey: grid.units.number(at: position)) == nil)
      }
    }
    #expect(owner.count == grid.units.count)
  }

  @Test(arguments: layouts)
  func `regions do not grow along time and channel`(
    shape: [Int], unit: [Int], spatialAxes: Int
  ) {
    let cell = RegionGrid(shape: shape, unit: unit, spatialAxes: spatialAxes).cells.cellShape
    #expect(cell.prefix(shape.count - spatialAxes) == unit.prefix(shape.count - spatialAxes))
    #expect(zip(cell, unit).allSatisfy { $0.isMultiple(of: $1) })
  }

  @Test(arguments: layouts)
  func `a trial says how many write units a region has`(
    shape: [Int], unit: [Int], spatialAxes: Int
  ) {
    let counts = Vector3(2, 1, 3)
    let grid = RegionGrid(
      shape: shape, unit: unit, spatialAxes: spatialAxes, growth: .units(counts))
    let leading = shape.count - spatialAxes
    let wanted = Array([2, 1, 3].suffix(spatialAxes))
    for axis in shape.indices {
      let all = (shape[axis] + unit[axis] - 1) / unit[axis]
      let count = axis < leading ? 1 : min(all, wanted[axis - leading])
      #expect(grid.cells.cellShape[axis] == count * unit[axis])
    }
    let plane = RegionGrid(
      shape: shape, unit: unit, spatialAxes: spatialAxes, reach: .plane, growth: .units(counts))
    #expect(zip(plane.cells.cellShape, shape).suffix(2).allSatisfy { $0 >= $1 })
  }

  @Test func `a large image has dozens of regions of at most 16 million voxels`() {
    let grid = RegionGrid(shape: [600, 2048, 2048], unit: [64, 256, 256], spatialAxes: 3)
    #expect(grid.cells.count >= 64)
    #expect(grid.cells.cellShape.reduce(1, *) <= 1 << 24)
  }

  @Test func `a projection of a large volume has several regions`() {
    let unit = [1, 512, 512]
    let grid = RegionGrid(shape: [1, 2048, 2048], unit: unit, spatialAxes: 3, depth: 256)
    #expect(grid.cells.count == 16)
  }

  @Test func `a ragged last region has a size of its own`() {
    let grid = RegionGrid(shape: [1500, 1500], unit: [1024, 1024], spatialAxes: 2)
    #expect(
      grid.regions().map(\.shape) == [[1024, 1024], [1024, 476], [476, 1024], [476, 476]])
  }

  @Test func `a region holds whole planes or volumes where that is asked for`() {
    let (shape, unit) = ([2, 5, 61, 1200], [1, 2, 16, 16])
    let plane = RegionGrid(shape: shape, unit: unit, spatialAxes: 3, reach: .plane)
    #expect(plane.cells.cellShape[2...] == [64, 1200])
    #expect(plane.cells.gridShape[2...] == [1, 1])
    let volume = RegionGrid(shape: shape, unit: unit, spatialAxes: 3, reach: .volume)
    #expect(volume.cells.cellShape == [1, 6, 64, 1200])
    #expect(volume.cells.gridShape == [2, 1, 1, 1])
  }
}

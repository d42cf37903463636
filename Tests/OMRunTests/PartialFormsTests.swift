import OMGrid
import OMJSON
import OMObjects
import OMTask
import Testing

@testable import OMRun

@Suite struct PartialFormsTests {
  private func block(component: UInt32 = 0, end: UInt32 = 3) -> LabelledBlock? {
    let place = Block(
      volume: 1, position: Vector3(0, 0, 0), origin: Vector3(0, 0, 0), shape: Vector3(1, 2, 4))
    return LabelledBlock(
      restoring: place, rowStarts: [0, 1, 2],
      runs: [Run(start: 1, end: 3, component: 0), Run(start: 0, end: end, component: component)],
      firstVoxels: [1], counts: [5], touchesBorder: [true])
  }

  @Test func `objects of a region come back as they were`() throws {
    var objects = RegionObjects()
    objects.blocks = [try #require(block())]
    objects.counts = VoxelCounts(processed: 99, foreground: 17)
    var table = StatisticsTable()
    try table.add(4, VoxelStatistics(need: .histogram, dataType: .uint16))
    objects.statistics = table
    let back = try RegionObjects(unpacking: objects.packed())
    #expect(back.counts == VoxelCounts(processed: 99, foreground: 17))
    #expect(back.blocks.count == 1)
    #expect(back.blocks.first?.runs == objects.blocks.first?.runs)
    #expect(back.blocks.first?.counts == [5])
    #expect(back.statistics?.numbers == [4])
  }

  @Test func `bytes that were cut off are no objects`() throws {
    var objects = RegionObjects()
    objects.blocks = [try #require(block())]
    let bytes = objects.packed()
    for count in 0..<bytes.count {
      #expect(throws: Fault.self) { try RegionObjects(unpacking: Array(bytes[..<count])) }
    }
  }

  @Test func `runs that do not fit their block are refused`() {
    #expect(block(component: 1) == nil)
    #expect(block(end: 5) == nil)
    #expect(block(end: 0) == nil)
  }
}

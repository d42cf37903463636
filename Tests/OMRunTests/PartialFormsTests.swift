import OMGrid
import OMJSON
import OMManifest
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

  private let traits = PartialTraits(
    .table,
    columns: [
      .init("n", .int64), .init("x", .float64), .init("s", .string), .init("b", .bool),
    ])
  private let found = [
    FoundRows(
      time: 2, origin: Vector3(1, 2, 3),
      columns: [
        .int64([1, -2]), .float64([0.5, -0.0]), .string(["é", ""]), .bool([true, false]),
      ]),
    FoundRows(
      time: 3, origin: Vector3(0, 0, 0),
      columns: [.int64([]), .float64([]), .string([]), .bool([])]),
  ]

  @Test func `rows of a region come back as they were`() throws {
    let bytes = found.packed()
    #expect(try [FoundRows](unpacking: bytes, traits) == found)
    for count in 0..<bytes.count {
      #expect(throws: Fault.self) { try [FoundRows](unpacking: Array(bytes[..<count]), traits) }
    }
    #expect(throws: Fault.self) { try [FoundRows](unpacking: bytes + [0], traits) }
  }

  @Test func `what another rank found is added to the own`() throws {
    var (one, other) = (PartialTable(traits), PartialTable(traits))
    try one.add([found[1]])
    try other.add([found[0]])
    try one.add(packed: other.packed())
    #expect(one.pieces == 2 && one.rowCount == 2)
    var both = PartialTable(traits)
    try both.add([found[0]])
    try both.add([found[1]])
    #expect(try one.table(hasTime: true) == both.table(hasTime: true))
  }
}

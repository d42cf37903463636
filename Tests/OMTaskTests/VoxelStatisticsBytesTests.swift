import OMGrid
import OMJSON
import OMTask
import Testing

@Suite struct VoxelStatisticsBytesTests {
  @Test(arguments: DataType.allCases, StatisticsNeed.allCases)
  func `a partial survives its byte form`(dataType: DataType, need: StatisticsNeed) throws {
    for statistics in try bothPasses(dataType, need) {
      let bytes = statistics.encoded()
      let copy = try VoxelStatistics(encoded: bytes)
      #expect(copy.encoded() == bytes)
      #expect(copy.count == statistics.count)
      #expect(copy.pass == statistics.pass)
      #expect(copy.minimumText == statistics.minimumText)
      #expect(copy.mean == statistics.mean)
      var doubled = copy
      try doubled.merge(statistics)
      #expect(doubled.count == 2 * statistics.count)
    }
  }

  @Test func `only levels that occur are sent`() throws {
    var statistics = VoxelStatistics(need: .histogram, dataType: .uint16)
    #expect(statistics.encoded().count == 85)
    #expect(statistics.add([UInt16(60_000), 60_002]) == nil)
    #expect(statistics.encoded().count == 85 + 3 * 8)
  }

  @Test(arguments: [DataType.uint8, .int32, .float32, .float64])
  func `bytes that are no partial are refused`(dataType: DataType) throws {
    for statistics in try bothPasses(dataType, .fineHistogram) {
      let bytes = statistics.encoded()
      expectDamage([])
      expectDamage(bytes + [0])
      expectDamage([2] + bytes.dropFirst())
      expectDamage([1, 9] + bytes.dropFirst(2))
      for length in Array(1..<85) + [bytes.count - 8, bytes.count - 1] {
        expectDamage(Array(bytes.prefix(length)))
      }
    }
  }

  @Test func `partials of different kinds do not merge`() throws {
    var statistics = VoxelStatistics(need: .histogram, dataType: .int32)
    let others = [
      VoxelStatistics(need: .sum, dataType: .int32),
      VoxelStatistics(need: .histogram, dataType: .uint32),
      try bothPasses(.int32, .histogram)[1],
    ]
    for other in others {
      let fault = #expect(throws: Fault.self) { try statistics.merge(other) }
      #expect(fault?.kind == .internal)
    }
  }

  private func expectDamage(_ bytes: [UInt8], at place: SourceLocation = #_sourceLocation) {
    let fault = #expect(throws: Fault.self, sourceLocation: place) {
      try VoxelStatistics(encoded: bytes)
    }
    #expect(fault?.kind == .internal, sourceLocation: place)
  }

  private func bothPasses(
    _ dataType: DataType, _ need: StatisticsNeed
  ) throws -> [VoxelStatistics] {
    let bytes = SyntheticImage(dataType, low: 7, span: 100).bytes
    var first = VoxelStatistics(need: need, dataType: dataType)
    #expect(first.add(bytes) == nil)
    guard first.needsSecondPass else { return [first] }
    var second = try VoxelStatistics(counting: first)
    #expect(second.add(bytes) == nil)
    return [first, second]
  }
}

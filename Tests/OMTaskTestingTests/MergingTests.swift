import OMGrid
import OMTask
import OMTaskTesting
import Testing

@Suite struct MergingTests {
  @Test func `what merges in any order is confirmed`() throws {
    try Trials().checkMerging([3, 5, 8, 13, 21], identity: 0) { $0 += $1 }
    try Trials().checkMerging([[1], [2, 3], [0, 9]].map(Set.init), identity: []) {
      $0.formUnion($1)
    }
  }

  @Test func `the law that is broken is named`() throws {
    let identity = says { try Trials().checkMerging([1, 2], identity: 1) { $0 += $1 } }
    #expect(identity.contains("the identity changes partial 0"))
    let pairs = says { try Trials().checkMerging(["a", "b"], identity: "") { $0 += $1 } }
    #expect(pairs.contains("the other way round"))
    let triples = says { try Trials().checkMerging([1e16, -1e16, 1], identity: 0) { $0 += $1 } }
    #expect(triples.contains("when the last two are merged first"))
  }

  @Test(arguments: [DataType.uint8, .int16, .float32, .float64], StatisticsNeed.allCases)
  func `statistics merge in any order`(dataType: DataType, need: StatisticsNeed) throws {
    let identity = VoxelStatistics(need: need, dataType: dataType)
    let partials = (1...6).map { seed -> VoxelStatistics in
      var partial = identity
      let bytes = [UInt8](repeating: UInt8(seed * 9), count: 4 * dataType.byteCount)
      bytes.withUnsafeBytes { buffer in
        if let start = buffer.baseAddress { _ = partial.add(fill: start, times: UInt64(seed)) }
      }
      return partial
    }
    try Trials().checkMerging(
      partials, identity: identity, equal: { $0.encoded() == $1.encoded() },
      merge: { try $0.merge($1) })
  }

  private func says(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing"
    } catch { return "\(error)" }
  }
}

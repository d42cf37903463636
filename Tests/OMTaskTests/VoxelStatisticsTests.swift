import OMGrid
import OMJSON
import OMTask
import Testing

@Suite struct VoxelStatisticsTests {
  @Test(arguments: DataType.allCases, StatisticsNeed.allCases)
  func `merging any split equals the whole`(dataType: DataType, need: StatisticsNeed) throws {
    let bytes = SyntheticImage(dataType, low: dataType.isSigned ? -90 : 3, span: 150).bytes
    let fresh = VoxelStatistics(need: need, dataType: dataType)
    let whole = try merged(bytes, from: fresh, cutAt: [])
    for cuts in [[1], [299], [200, 400], [7, 8, 500, 599]] {
      let parts = try merged(bytes, from: fresh, cutAt: cuts)
      #expect(parts.encoded() == whole.encoded())
    }
    guard whole.needsSecondPass else { return }
    let second = try VoxelStatistics(counting: whole)
    let counts = try merged(bytes, from: second, cutAt: [])
    #expect(try merged(bytes, from: second, cutAt: [5, 300]).encoded() == counts.encoded())
    #expect(counts.count == 600)
  }

  @Test(arguments: DataType.allCases, StatisticsNeed.allCases)
  func `a fill value counts like stored voxels`(dataType: DataType, need: StatisticsNeed) throws {
    let voxel = SyntheticImage(dataType, "constant", low: 1, size: 1).bytes
    let others = SyntheticImage(dataType, low: 0, size: 50).bytes
    let repeated = Array(repeating: voxel, count: 9).flatMap { $0 } + others
    var (stored, filled) = (fresh(), fresh())
    for _ in 1...2 {
      #expect(stored.add(repeated) == nil)
      #expect(filled.add(others) == nil)
      #expect(voxel.withUnsafeBytes { addFill($0, to: &filled) } == nil)
      #expect(filled.encoded() == stored.encoded())
      guard stored.needsSecondPass else { return }
      (stored, filled) = (try .init(counting: stored), try .init(counting: filled))
    }

    func fresh() -> VoxelStatistics { VoxelStatistics(need: need, dataType: dataType) }
    func addFill(_ fill: UnsafeRawBufferPointer, to statistics: inout VoxelStatistics) -> Int? {
      fill.baseAddress.flatMap { statistics.add(fill: $0, times: 9) }
    }
  }

  @Test func `the gap between rows is not counted`() throws {
    var statistics = VoxelStatistics(need: .histogram, dataType: .uint16)
    let voxels: [UInt16] = [1, 2, 99, 3, 4, 99]
    let refused = voxels.withUnsafeBytes { buffer in
      buffer.baseAddress.flatMap {
        statistics.add(rows: $0, rowLength: 2, rowCount: 2, rowStride: 3)
      }
    }
    #expect(refused == nil)
    #expect(statistics.count == 4)
    #expect(statistics.maximum == 4)
    #expect(statistics.mean == 2.5)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, -.nan])
  func `a voxel that is not finite is reported at its offset`(bad: Float) {
    var voxels = [Float](repeating: 1, count: 60)
    voxels[10 * 3 + 4] = bad
    voxels[10 * 5] = bad
    voxels[8] = bad
    var statistics = VoxelStatistics(need: .histogram, dataType: .float32)
    let refused = voxels.withUnsafeBytes { buffer in
      buffer.baseAddress.flatMap {
        statistics.add(rows: $0, rowLength: 8, rowCount: 6, rowStride: 10)
      }
    }
    #expect(refused == 34)
    #expect(withUnsafeBytes(of: bad) { $0.baseAddress.flatMap(addFill) } == 0)

    func addFill(_ fill: UnsafeRawPointer) -> Int? { statistics.add(fill: fill, times: 1) }
  }

  @Test(arguments: DataType.allCases.filter { $0.isFloat || $0.byteCount > 2 })
  func `a voxel that was not there in pass 1 is reported`(dataType: DataType) throws {
    for need in [StatisticsNeed.histogram, .fineHistogram] { try expectReport(dataType, need) }
  }

  private func expectReport(_ dataType: DataType, _ need: StatisticsNeed) throws {
    var survey = VoxelStatistics(need: need, dataType: dataType)
    #expect(survey.add(SyntheticImage(dataType, "ramp", low: 5, span: 20).bytes) == nil)
    for (low, place) in [(4.0, 0), (5.0, 420)] {
      var counts = try VoxelStatistics(counting: survey)
      let longer = SyntheticImage(dataType, "ramp", low: low, span: low == 5 ? 30 : 20)
      let refused = counts.add(longer.bytes)
      #expect(abs(try #require(refused) - place) <= 20)
    }
  }

  @Test func `more than 2^24 levels are refused`() throws {
    var statistics = VoxelStatistics(need: .histogram, dataType: .int32)
    #expect(statistics.add([Int32(-8), (1 << 24) - 9]) == nil)
    #expect(throws: Never.self) { try VoxelStatistics(counting: statistics) }
    #expect(statistics.add([Int32(1 << 24) - 8]) == nil)
    let fault = #expect(throws: Fault.self) { try VoxelStatistics(counting: statistics) }
    #expect(fault?.kind == .unsupported)
    #expect(fault?.message.contains("16777217 levels, from -8 to 16777208") == true)
    #expect(fault?.hint?.contains("`mean`") == true)
  }

  @Test func `a range too narrow for bins is refused`() throws {
    var statistics = VoxelStatistics(need: .histogram, dataType: .float32)
    #expect(statistics.add([Float(1), Float(1).nextUp]) == nil)
    let fault = #expect(throws: Fault.self) { try VoxelStatistics(counting: statistics) }
    #expect(fault?.kind == .task)
  }

  @Test func `the foreground is known where levels are counted`() throws {
    var statistics = VoxelStatistics(need: .histogram, dataType: .int8)
    #expect(statistics.add([Int8(-3), -3, 0, 5]) == nil)
    #expect(statistics.voxelCount(above: -3) == 2)
    #expect(statistics.voxelCount(above: -3, inclusive: true) == 4)
    #expect(statistics.foregroundShare(above: 0.5) == 0.25)
    #expect(VoxelStatistics(need: .sum, dataType: .float32).voxelCount(above: 0) == nil)
  }

  @Test func `extremes beyond 2^53 keep every digit as text`() {
    var statistics = VoxelStatistics(need: .sum, dataType: .int64)
    #expect(statistics.minimumText == nil)
    #expect(statistics.add([Int64.min + 1, Int64.max]) == nil)
    #expect(statistics.minimumText == "-9223372036854775807")
    #expect(statistics.maximumText == "9223372036854775807")
    #expect(statistics.mean == 0)
    #expect(!statistics.isConstant)
  }

  @Test func `any byte but zero is a true voxel`() throws {
    var statistics = VoxelStatistics(need: .histogram, dataType: .bool)
    #expect(statistics.add([UInt8(0), 1, 2, 255]) == nil)
    #expect(statistics.maximum == 1)
    #expect(statistics.mean == 0.75)
  }

  /// Adds pieces of the voxels to copies of a fresh partial and merges these, the last one first.
  private func merged(
    _ bytes: [UInt8], from fresh: VoxelStatistics, cutAt cuts: [Int]
  ) throws -> VoxelStatistics {
    let bounds = [0] + cuts.map { $0 * fresh.dataType.byteCount } + [bytes.count]
    var total = fresh
    for (start, end) in zip(bounds, bounds.dropFirst()).reversed() {
      var part = fresh
      #expect(part.add(bytes[start..<end]) == nil)
      try total.merge(part)
    }
    return total
  }
}

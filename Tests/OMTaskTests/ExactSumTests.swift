import OMGrid
import OMJSON
import OMTask
import Testing

@Suite struct ExactSumTests {
  static let means: [(numbers: [Double], mean: Double)] = [
    ([1e300, 1, -1e300, 0], 0.25),
    (Array(repeating: 0.1, count: 10), 0.1),
    ([0x1p-1074, 0x1p-1074], 0x1p-1074),
    ([0x1p-1020, -0x1p-1072], 0x1.ffffffffffffep-1022),
    ([-0x1p53, -1], -0x1p52),
    ([-0x1p53, -3], -0x1.0000000000002p52),
    ([0x1p53, 1, 0x1p-1000, 0], 0x1.0000000000001p51),
    ([1.5, -1.5], 0),
    ([-0.0, -0.0], 0),
    ([0x1.8p1023, 0x1.8p1023, -0x1.8p1023, -0x1.8p1023, 16], 3.2),
  ]

  @Test(arguments: means)
  func `sums of real numbers are rounded once`(numbers: [Double], mean: Double) {
    for order in [numbers, numbers.reversed(), numbers.sorted()] {
      var statistics = VoxelStatistics(need: .sum, dataType: .float64)
      #expect(statistics.add(order) == nil)
      #expect(statistics.mean == mean)
    }
  }

  @Test func `the order of single-precision voxels does not change the mean`() {
    let bytes = SyntheticImage(.float32, "skewed", low: -1000, span: 3e7, size: 5000).bytes
    let voxels = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let exact = voxels.reduce(Int128(0)) { $0 + Int128(Double($1) * 0x1p60) }
    for order in [voxels, voxels.reversed(), voxels.sorted()] {
      var statistics = VoxelStatistics(need: .sum, dataType: .float32)
      #expect(statistics.add(order) == nil)
      #expect(statistics.mean == Double(exact) * 0x1p-60 / 5000)
    }
  }

  @Test func `integer sums do not overflow`() {
    var statistics = VoxelStatistics(need: .sum, dataType: .uint64)
    let fill = UInt64.max
    #expect(withUnsafeBytes(of: fill) { $0.baseAddress.flatMap(addFill) } == nil)
    #expect(statistics.add([UInt64.max, .max, .max]) == nil)
    #expect(statistics.mean == 0x1p64)

    func addFill(_ voxel: UnsafeRawPointer) -> Int? { statistics.add(fill: voxel, times: 1 << 40) }
  }

  @Test func `integer means are exact before their rounding`() {
    var statistics = VoxelStatistics(need: .sum, dataType: .int64)
    #expect(statistics.add([Int64.max, .max, -1, .min, .min, 5]) == nil)
    #expect(statistics.mean == 2.0 / 6)
  }
}

import OMGrid
import Testing

@testable import OMTask

@Suite struct WordSumTests {
  @Test(arguments: [0, 1, 31, 63, 64, 65, 100, 130])
  func `sums of any shift and sign are exact`(shift: Int) {
    var words = [UInt64](repeating: 0, count: 6)
    let values: [Int128] = [1, -1, 12_345, -Int128(Int64.max), Int128(1) << 90, -7]
    for value in values { words.withUnsafeMutableBufferPointer { add(value, shift, $0) } }
    let total = ExactInteger(values.reduce(0, +))
    let factor = (0..<shift).reduce(ExactInteger(1)) { power, _ in power * ExactInteger(2) }
    #expect(ExactInteger(sum: words) == total * factor)
  }

  private func add(_ value: Int128, _ shift: Int, _ words: UnsafeMutableBufferPointer<UInt64>) {
    if let start = words.baseAddress { WordSum.add(value, shift: shift, to: start, count: 6) }
  }
}

@Suite struct ExactIntegerTests {
  @Test func `products and differences are those of integers`() {
    var state: UInt64 = 7
    func next() -> Int128 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int128(Int64(bitPattern: state) >> 3)
    }
    for _ in 0..<200 {
      let (a, b) = (next(), next())
      #expect(ExactInteger(a) * ExactInteger(b) == ExactInteger(a * b))
      #expect(ExactInteger(a) - ExactInteger(b) == ExactInteger(a - b))
      #expect(ExactInteger(a) + ExactInteger(b) == ExactInteger(a + b))
      #expect(ExactInteger(a * b).rounded() == Double(a * b))
    }
  }

  @Test func `rounding is to the nearest, ties to even, once`() {
    let half = ExactInteger(Int128(1) << 53)
    #expect((half + ExactInteger(1)).rounded() == 0x1p53)
    #expect((half + ExactInteger(3)).rounded() == 0x1p53 + 4)
    #expect(ExactInteger(3).rounded(exponent: -1074) == 3 * Double.leastNonzeroMagnitude)
    #expect(ExactInteger(3).rounded(exponent: -1076) == Double.leastNonzeroMagnitude)
    #expect(ExactInteger(-5).rounded(exponent: 10) == -5120)
    #expect(ExactInteger(1).rounded(exponent: 2000) == .infinity)
  }
}

@Suite struct ObjectSumsTests {
  private let need = SumsNeed(
    products: true, squares: true, powers: true, weighted: true, counts: true)

  /// The sums of a plane of labels, cut into boxes of some width.
  private func sums(
    _ labels: [UInt16], _ voxels: [Int16], width: Int, cut: Int
  ) -> ObjectSums {
    let layout = SumsLayout(need, dataType: .int16, channels: 1)
    var all = ObjectSums(layout)
    let shape = Vector3(1, labels.count / width, width)
    for start in stride(from: 0, to: width, by: cut) {
      var part = ObjectSums(layout)
      let box = RowBox(
        origin: Vector3(0, 0, start), shape: Vector3(1, shape.y, min(cut, width - start)),
        strides: (row: width, plane: 0))
      var runs: [ObjectRun] = []
      labels.withUnsafeBytes { raw in
        if let base = raw.baseAddress {
          _ = part.findRuns(.uint16, base + start * 2, box, time: 0, into: &runs)
        }
      }
      part.add(runs, time: 0, volume: shape)
      voxels.withUnsafeBytes { raw in
        if let base = raw.baseAddress {
          #expect(part.add(runs, channel: 0, base + start * 2, box) == nil)
        }
      }
      part.counts.settle()
      all.merge(part)
    }
    return all
  }

  @Test(arguments: [1, 3, 7, 20])
  func `cutting the image changes nothing`(cut: Int) {
    let labels = (0..<400).map { UInt16($0 * 7919 % 5 * ($0 % 3)) }
    let voxels = (0..<400).map { Int16(truncatingIfNeeded: $0 * 104_729) }
    let space = MeasuredSpace(
      axes: ["y", "x"], shape: [20, 20], sizes: [0.5, 0.25], offsets: [0, 0])
    func columns(_ cut: Int) -> [TableColumn] {
      let objects = MeasuredObjects(
        sums(labels, voxels, width: 20, cut: cut), space: space, channelNames: ["A"],
        labelType: .uint16)
      return [objects.labels] + objects.shapeColumns + objects.axesColumns
        + objects.intensityColumns + objects.weightedColumns + objects.distributionColumns
    }
    let (whole, parts) = (columns(20), columns(cut))
    #expect(whole[0].values == .int64([1, 2, 3, 4, 6, 8]))
    #expect(whole == parts)
  }

  @Test func `a line has no width, and a voxel no length`() {
    for step in 1..<6 {
      let points = (0..<9).map { (Double($0 * 2), Double($0 * step)) }
      let (my, mx) = (8.0, Double(4 * step))
      let sums = points.reduce((0.0, 0.0, 0.0)) { sum, point in
        let (y, x) = (point.0 - my, point.1 - mx)
        return (sum.0 + y * y, sum.1 + y * x, sum.2 + x * x)
      }
      let moments = [0, 0, 0, sums.0 / 9, sums.1 / 9, sums.2 / 9]
      #expect(AxesOfObject(moments, isFlat: true).minor < 1e-7)
    }
    let voxel = AxesOfObject([0, 0, 0, 0, 0, 0], isFlat: true)
    #expect(voxel.major == 0 && voxel.eccentricity == 0)
    #expect(AxesOfObject([0, 0, 0, 0, 0, 0], isFlat: false).major == 0)
  }

  @Test func `sums that do not fit together are refused`() {
    let layout = SumsLayout(SumsNeed(), dataType: .uint8, channels: 0)
    #expect(throws: (any Error).self) {
      try ObjectSums(layout, labels: [1], times: [0], words: [1, 2])
    }
    #expect(throws: (any Error).self) {
      try ObjectSums(
        layout, labels: [1, 1], times: [0, 0],
        words: [UInt64](repeating: 0, count: 2 * layout.stride))
    }
    #expect(ValueCounts(keys: [2, 1], counts: [1, 1]) == nil)
  }
}

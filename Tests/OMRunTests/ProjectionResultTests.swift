import OMGrid
import OMTask
import Testing

@testable import OMRun

@Suite struct ProjectionResultTests {
  private func made<V: BitwiseCopyable>(
    _ sums: [Int64], of length: Int64, _ projection: Projection, _ type: DataType, _: V.Type
  ) -> [V] {
    var voxels = [UInt64](repeating: 0, count: sums.count)
    return voxels.withUnsafeMutableBytes { room in
      guard let start = room.baseAddress else { return [] }
      ProjectionResult(projection, type).write(
        sums, count: sums.count, length: length, to: start)
      return Array(room.bindMemory(to: V.self).prefix(sums.count))
    }
  }

  @Test func `a mean is rounded, halves to even`() {
    let mean = Projection(axis: "z", method: .mean)
    let sums: [Int64] = [1, 3, 5, 7, -1, -3, -5, 4]
    #expect(made(sums, of: 2, mean, .int16, Int16.self) == [0, 2, 2, 4, 0, -2, -2, 2])
    #expect(made([4, 5, 7, 8], of: 3, mean, .uint8, UInt8.self) == [1, 2, 2, 3])
  }

  @Test func `a mean is cut off where Fractal does that`() {
    let mean = Projection(axis: "z", method: .mean, truncates: true)
    #expect(made([3, 5, 7, -3], of: 2, mean, .int16, Int16.self) == [1, 2, 3, -1])
  }

  @Test func `a sum stops at the largest number of its type`() {
    let sum = Projection(axis: "z", method: .sum)
    #expect(made([255, 256, -1], of: 2, sum, .uint8, UInt8.self) == [255, 255, 0])
    #expect(made([300, 1 << 40], of: 2, sum, .uint64, UInt64.self) == [300, 1 << 40])
  }

  @Test func `floating-point means are divided once`() {
    let mean = Projection(axis: "z", method: .mean)
    #expect(made([1, 10], of: 3, mean, .float64, Double.self) == [1.0 / 3, 10.0 / 3])
  }
}

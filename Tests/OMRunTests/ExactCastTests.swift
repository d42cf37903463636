import OMGrid
import Testing

@testable import OMRun

@Suite struct ExactCastTests {
  private func cast<V: BitwiseCopyable, W: BitwiseCopyable>(
    _ voxels: [V], _ source: DataType, _ target: DataType, _: W.Type
  ) -> (misfit: Int?, copies: [W]) {
    var room = [UInt64](repeating: 0, count: voxels.count)
    return room.withUnsafeMutableBytes { room in
      voxels.withUnsafeBytes { voxels in
        guard let input = voxels.baseAddress, let output = room.baseAddress else { return (0, []) }
        let count = voxels.count / source.byteCount
        let misfit = ExactCast(from: source, to: target).run(input, count: count, to: output)
        return (misfit, Array(room.bindMemory(to: W.self).prefix(count)))
      }
    }
  }

  @Test func `numbers that both types have are the same`() {
    let small: [Int16] = [0, 1, 127, 5]
    #expect(cast(small, .int16, .uint8, UInt8.self).copies == [0, 1, 127, 5])
    #expect(cast(small, .int16, .int64, Int64.self).copies == [0, 1, 127, 5])
    #expect(cast(small, .int16, .float32, Float.self).copies == [0, 1, 127, 5])
    #expect(cast([-1, 2.0, 1e6], .float64, .int32, Int32.self).copies == [-1, 2, 1_000_000])
    #expect(cast([UInt8(0), 1], .bool, .uint16, UInt16.self).copies == [0, 1])
    #expect(cast([Float16(0), 1], .float16, .bool, UInt8.self).copies == [0, 1])
  }

  @Test func `the first number that the type lacks is told`() {
    #expect(cast([Int16(3), -1, -2], .int16, .uint16, UInt16.self).misfit == 1)
    #expect(cast([Int16(3), -1], .int16, .uint64, UInt64.self).misfit == 1)
    #expect(cast([UInt16(255), 256], .uint16, .uint8, UInt8.self).misfit == 1)
    #expect(cast([UInt64(1) << 63], .uint64, .int64, Int64.self).misfit == 0)
    #expect(cast([UInt32(1 << 24), 1 << 24 + 1], .uint32, .float32, Float.self).misfit == 1)
    #expect(cast([1.0, 0.1], .float64, .float32, Float.self).misfit == 1)
    #expect(cast([Float(1), 0.5], .float32, .int8, Int8.self).misfit == 1)
    #expect(cast([UInt8(1), 2], .uint8, .bool, UInt8.self).misfit == 1)
    #expect(cast([Double.nan], .float64, .int64, Int64.self).misfit == 0)
  }

  @Test func `what is no number and what is endless stays so`() {
    let (misfit, copies) = cast([Float.nan, .infinity, -0.0], .float32, .float64, Double.self)
    #expect(misfit == nil)
    #expect(copies[0].isNaN && copies[1] == .infinity && copies[2].sign == .minus)
  }

  @Test(arguments: [DataType.uint8, .int8, .uint16, .int16, .uint32, .int64])
  func `every 16-bit number is cast or refused as Swift says`(target: DataType) {
    for number in stride(from: Int(Int16.min), through: Int(Int16.max), by: 7) {
      let fits: Bool =
        switch target {
        case .uint8: UInt8(exactly: number) != nil
        case .int8: Int8(exactly: number) != nil
        case .uint16: UInt16(exactly: number) != nil
        case .uint32: UInt32(exactly: number) != nil
        default: true
        }
      #expect((cast([Int16(number)], .int16, target, UInt8.self).misfit == nil) == fits)
    }
  }
}

import OMGrid
import OMTask
import Testing

@Suite struct VoxelRoundingTests {
  /// Numbers on both sides of what is hard: halves, the ends of types, and beyond.
  static let numbers: [Double] =
    [0.5, 1.5, 2.5, 0.499_999_999_999_999_94, 126.5, 127.5, 254.5, 255.5, 32_767.5, 65_535.4]
    .flatMap { [$0, -$0, $0.nextUp, -$0.nextUp, $0.nextDown] }
    + [0, -0.0, 2_147_483_647.5, -2_147_483_648.5, 4_294_967_295.5, 1e300, -1e300]
    + [0x1p62, -0x1p63, 0x1p63, 0x1p64, (0x1p64).nextDown, .infinity, -.infinity]

  @Test(arguments: DataType.allCases)
  func `rows round as single numbers do`(dataType: DataType) {
    for rounding in VoxelRounding.allCases {
      let row = written(Self.numbers, rounding, dataType)
      let single = Self.numbers.flatMap { written([$0], rounding, dataType) }
      #expect(row == single)
    }
  }

  @Test func `halves go to the even integer and what is outside to the nearest one`() {
    expectRounding(UInt8.self)
    expectRounding(Int8.self)
    expectRounding(UInt16.self)
    expectRounding(Int16.self)
    expectRounding(UInt32.self)
    expectRounding(Int32.self)
    expectRounding(UInt64.self)
    expectRounding(Int64.self)
  }

  @Test func `floating-point types convert and clamp nothing`() {
    for rounding in VoxelRounding.allCases {
      #expect(rounding.voxel(2.75, as: Float.self) == 2.75)
      #expect(rounding.voxel(1e300, as: Float.self) == .infinity)
      #expect(rounding.voxel(0.1, as: Float16.self) == Float16(0.1))
      #expect(rounding.voxel(-1e300, as: Double.self) == -1e300)
      #expect(rounding.voxel(.nan, as: Float.self).isNaN)
    }
  }

  @Test func `bool has the voxels 0 and 1`() {
    let numbers = [-3, 0, 0.5, 0.6, 1, 1.9, 200]
    #expect(written(numbers, .halfEven, .bool) == [0, 0, 0, 1, 1, 1, 1])
    #expect(written(numbers, .truncated, .bool) == [0, 0, 0, 0, 1, 1, 1])
  }

  @Test func `not a number becomes the lowest integer`() {
    #expect(VoxelRounding.halfEven.voxel(.nan, as: UInt16.self) == 0)
    #expect(VoxelRounding.truncated.voxel(.nan, as: Int32.self) == .min)
    #expect(VoxelRounding.halfEven.voxel(.nan, as: Int64.self) == .min)
  }

  @Test func `eight voxels are read and added like single ones`() {
    expectReading([UInt8](248...255), [UInt8](repeating: 255, count: 8))
    expectReading([Int8](-128 ... -121), [Int8](repeating: -128, count: 8))
    expectReading([UInt16](65_528...65_535), [UInt16](repeating: .max, count: 8))
    expectReading([Int16](-32_768 ... -32_761), [Int16](repeating: .min, count: 8))
    expectReading([UInt32](repeating: .max, count: 8), [UInt32](0..<8))
    expectReading([Int64](repeating: .max, count: 8), [Int64](0..<8))
    expectReading(
      [Float16](arrayLiteral: 0, -0.5, 65_504, 6e-8, 1, 2, 3, -65_504), [1, 2, 3, 4, 5, 6, 7, 8])
    expectReading(
      [Float](repeating: .leastNonzeroMagnitude, count: 8), [Float](repeating: 1, count: 8))
  }
}

/// A row of voxels as bytes.
private func written(
  _ numbers: [Double], _ rounding: VoxelRounding, _ dataType: DataType
) -> [UInt8] {
  var bytes = [UInt8](repeating: 0xAA, count: numbers.count * dataType.byteCount)
  numbers.withUnsafeBufferPointer { numbers in
    bytes.withUnsafeMutableBytes { bytes in
      guard let start = numbers.baseAddress, let voxels = bytes.baseAddress else { return }
      rounding.write(start, count: numbers.count, to: voxels, as: dataType)
    }
  }
  return bytes
}

/// Compares with the functions of the standard library.
private func expectRounding<V: Voxel & FixedWidthInteger>(_: V.Type) {
  for number in VoxelRoundingTests.numbers {
    for rounding in VoxelRounding.allCases {
      let whole = number.rounded(rounding == .halfEven ? .toNearestOrEven : .towardZero)
      let expected = V(exactly: whole) ?? (number < 0 ? .min : .max)
      let found = rounding.voxel(number, as: V.self)
      #expect(found == expected, "\(number) to \(V.self), \(rounding)")
    }
  }
}

/// Compares the vectors with single voxels.
private func expectReading<V: Voxel>(_ first: [V], _ second: [V]) {
  first.withUnsafeBufferPointer { first in
    second.withUnsafeBufferPointer { second in
      guard let one = first.baseAddress, let other = second.baseAddress else { return }
      let (numbers, sums) = (V.numbers(one), V.sums(one, other))
      for i in 0..<8 {
        #expect(numbers[i] == one[i].number)
        #expect(sums[i] == one[i].number + other[i].number)
      }
    }
  }
}

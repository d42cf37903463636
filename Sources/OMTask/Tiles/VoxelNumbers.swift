/// Voxels read as numbers, eight at a time where that is faster.

extension Voxel where Self: FixedWidthInteger & SIMDScalar {
  /// The nearest double.
  @inlinable public var number: Double { Double(self) }

  /// Eight voxels as numbers.
  @inlinable @inline(__always)
  public static func numbers(_ voxels: UnsafePointer<Self>) -> SIMD8<Double> {
    if Self.bitWidth <= 16 { return SIMD8(wide(voxels)) }
    return eightNumbers(voxels)
  }

  /// Eight voxels plus eight others, which is exact up to 16 bits even when added as integers.
  @inlinable @inline(__always)
  public static func sums(
    _ first: UnsafePointer<Self>, _ second: UnsafePointer<Self>
  ) -> SIMD8<Double> {
    if Self.bitWidth <= 16 { return SIMD8(wide(first) &+ wide(second)) }
    return eightNumbers(first) + eightNumbers(second)
  }

  /// The index of the first voxel that is not a finite number: integers have none.
  @inlinable public static func firstNotFinite(
    _ voxels: UnsafePointer<Self>, count: Int
  ) -> Int? { nil }

  @inlinable @inline(__always)
  static func wide(_ voxels: UnsafePointer<Self>) -> SIMD8<Int32> {
    SIMD8(truncatingIfNeeded: UnsafeRawPointer(voxels).loadUnaligned(as: SIMD8<Self>.self))
  }
}

extension Voxel where Self: BinaryFloatingPoint {
  /// The same number.
  @inlinable public var number: Double { Double(self) }

  /// Eight voxels as numbers.
  @inlinable @inline(__always)
  public static func numbers(_ voxels: UnsafePointer<Self>) -> SIMD8<Double> {
    eightNumbers(voxels)
  }

  /// Eight voxels plus eight others.
  @inlinable @inline(__always)
  public static func sums(
    _ first: UnsafePointer<Self>, _ second: UnsafePointer<Self>
  ) -> SIMD8<Double> {
    eightNumbers(first) + eightNumbers(second)
  }

  /// The index of the first voxel that is not a finite number.
  @inlinable public static func firstNotFinite(
    _ voxels: UnsafePointer<Self>, count: Int
  ) -> Int? {
    // Counting needs no branch per voxel; the place is looked for only when there is one.
    var others = 0
    for i in 0..<count { others &+= voxels[i].isFinite ? 0 : 1 }
    return others == 0 ? nil : (0..<count).first { !voxels[$0].isFinite }
  }
}

extension Float16 {
  /// The same number.
  ///
  /// The plain conversion is a call to the C library on machines without F16C.
  @inlinable public var number: Double {
    let bits = UInt32(bitPattern)
    let size = Float(bitPattern: (bits & 0x7fff) &<< 13) * 0x1p112
    return Double(Float(bitPattern: size.bitPattern | (bits & 0x8000) &<< 16))
  }
}

extension Voxel {
  @inlinable @inline(__always)
  static func eightNumbers(_ voxels: UnsafePointer<Self>) -> SIMD8<Double> {
    SIMD8(
      voxels[0].number, voxels[1].number, voxels[2].number, voxels[3].number,
      voxels[4].number, voxels[5].number, voxels[6].number, voxels[7].number)
  }
}

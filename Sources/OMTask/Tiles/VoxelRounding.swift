public import OMGrid

/// How a number that was computed becomes a voxel.
///
/// Integers saturate: a number outside the type becomes the nearest one in it, a NaN the lowest.
/// `bool` has the voxels 0 and 1. Floating-point types take the nearest number they have; nothing
/// is clamped there.
public enum VoxelRounding: String, Sendable, CaseIterable {
  /// To the nearest integer, and to the even one of two.
  case halfEven
  /// Towards zero, as C and NumPy cast numbers that the type can hold.
  case truncated

  /// The voxel for a number.
  @inlinable public func voxel<V: Voxel>(_ number: Double, as _: V.Type) -> V {
    self == .halfEven ? V(halfEven: number) : V(truncating: number)
  }

  /// Writes a row of numbers as voxels.
  ///
  /// - Parameters:
  ///   - numbers: What to round.
  ///   - count: How many numbers.
  ///   - voxels: Room for as many voxels, apart from the numbers.
  ///   - dataType: The type of the voxels.
  public func write(
    _ numbers: UnsafePointer<Double>, count: Int, to voxels: UnsafeMutableRawPointer,
    as dataType: DataType
  ) {
    func write<V: Voxel>(_: V.Type, largest: Double = .infinity) {
      V.write(
        numbers, count: count, to: voxels.assumingMemoryBound(to: V.self), self, largest: largest)
    }
    switch dataType {
    case .bool: write(UInt8.self, largest: 1)
    case .uint8: write(UInt8.self)
    case .int8: write(Int8.self)
    case .uint16: write(UInt16.self)
    case .int16: write(Int16.self)
    case .uint32: write(UInt32.self)
    case .int32: write(Int32.self)
    case .uint64: write(UInt64.self)
    case .int64: write(Int64.self)
    case .float16: write(Float16.self)
    case .float32: write(Float.self)
    case .float64: write(Double.self)
    }
  }
}

/// Added to a number below 2^51, this leaves the nearest integer in the low bits of the sum: plain
/// arithmetic, which runs in vectors on every machine, unlike instructions that round.
@usableFromInline let integerShift = 0x1.8p52

extension Voxel where Self: FixedWidthInteger {
  /// The nearest integer, the even one of two; saturates.
  @inlinable public init(halfEven number: Double) {
    if Self.bitWidth <= 32 {
      let inRange = number.clamped(Double(Self.min), Double(Self.max))
      self.init(truncatingIfNeeded: (inRange + integerShift).bitPattern)
    } else {
      self.init(saturating: number.rounded(.toNearestOrEven))
    }
  }

  /// The integer part; saturates.
  @inlinable public init(truncating number: Double) {
    if Self.bitWidth <= 32 {
      let inRange = number.clamped(Double(Self.min), Double(Self.max)).integerPart
      self.init(truncatingIfNeeded: (inRange + integerShift).bitPattern)
    } else {
      self.init(saturating: number.rounded(.towardZero))
    }
  }

  /// The integer that a whole number is, or the nearest one in the type.
  @usableFromInline init(saturating number: Double) {
    if number >= Double(Self.max) {
      self = .max
    } else {
      self = number > Double(Self.min) ? Self(number) : .min
    }
  }

  /// Writes a row of numbers as voxels of at most `largest`.
  @inlinable public static func write(
    _ numbers: UnsafePointer<Double>, count: Int, to voxels: UnsafeMutablePointer<Self>,
    _ rounding: VoxelRounding, largest: Double
  ) {
    switch rounding {
    case .halfEven:
      for i in 0..<count { voxels[i] = Self(halfEven: numbers[i] < largest ? numbers[i] : largest) }
    case .truncated:
      for i in 0..<count {
        voxels[i] = Self(truncating: numbers[i] < largest ? numbers[i] : largest)
      }
    }
  }
}

extension Voxel where Self: BinaryFloatingPoint {
  /// The nearest number of the type.
  @inlinable public init(halfEven number: Double) { self.init(number) }

  /// The nearest number of the type: only integers are truncated.
  @inlinable public init(truncating number: Double) { self.init(number) }

  /// Writes a row of numbers as voxels; `largest` is for integers.
  @inlinable public static func write(
    _ numbers: UnsafePointer<Double>, count: Int, to voxels: UnsafeMutablePointer<Self>,
    _ rounding: VoxelRounding, largest: Double
  ) {
    for i in 0..<count { voxels[i] = Self(numbers[i]) }
  }
}

extension Double {
  /// The nearest number from `low` to `high`; `low` for NaN.
  @inlinable @inline(__always)
  func clamped(_ low: Double, _ high: Double) -> Double {
    let raised = self > low ? self : low
    return raised < high ? raised : high
  }

  /// The number without its fraction, for numbers below 2^51.
  @inlinable @inline(__always)
  var integerPart: Double {
    let size = magnitude
    let nearest = (size + integerShift) - integerShift
    let floor = nearest > size ? nearest - 1 : nearest
    return self < 0 ? -floor : floor
  }
}

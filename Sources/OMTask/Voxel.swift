public import OMGrid

/// A type that a voxel can have in memory.
///
/// Kernels are generic over it and are specialised for each type, so nothing is decided per voxel.
public protocol Voxel: BitwiseCopyable, Comparable, AdditiveArithmetic, Sendable {
  /// The data type that names this type.
  static var dataType: DataType { get }

  /// The lowest value of this type that lies above a threshold, or nil when there is none.
  ///
  /// Integers are compared exactly. For floating-point types the threshold is first rounded to
  /// the type, as NumPy does when it compares an array with a number.
  static func lowest(above threshold: Double, inclusive: Bool) -> Self?

  /// The voxel as a number, rounded to the nearest double where it has more than 53 bits.
  var number: Double { get }

  /// Eight voxels in a row as numbers.
  static func numbers(_ voxels: UnsafePointer<Self>) -> SIMD8<Double>

  /// Eight voxels in a row plus eight others: sums of their numbers.
  static func sums(_ first: UnsafePointer<Self>, _ second: UnsafePointer<Self>) -> SIMD8<Double>

  /// The index of the first voxel in a row that is not a finite number.
  static func firstNotFinite(_ voxels: UnsafePointer<Self>, count: Int) -> Int?

  /// The voxel for a number, as `VoxelRounding.halfEven` says.
  init(halfEven number: Double)

  /// The voxel for a number, as `VoxelRounding.truncated` says.
  init(truncating number: Double)

  /// Writes a row of numbers as voxels of at most `largest`, the bound of integers.
  static func write(
    _ numbers: UnsafePointer<Double>, count: Int, to voxels: UnsafeMutablePointer<Self>,
    _ rounding: VoxelRounding, largest: Double)
}

extension Voxel where Self: FixedWidthInteger {
  /// The lowest integer above the threshold.
  @inlinable public static func lowest(above threshold: Double, inclusive: Bool) -> Self? {
    let bound = inclusive ? threshold.rounded(.up) : threshold.rounded(.down) + 1
    if bound <= Double(Self.min) { return Self.min }
    guard let exact = Self(exactly: bound) else { return nil }
    return exact
  }
}

extension Voxel where Self: BinaryFloatingPoint {
  /// The lowest number of this type above the threshold.
  @inlinable public static func lowest(above threshold: Double, inclusive: Bool) -> Self? {
    let rounded = Self(threshold)
    return inclusive ? rounded : rounded.nextUp
  }
}

extension UInt8: Voxel {
  /// `uint8`.
  @inlinable public static var dataType: DataType { .uint8 }
}
extension Int8: Voxel {
  /// `int8`.
  @inlinable public static var dataType: DataType { .int8 }
}
extension UInt16: Voxel {
  /// `uint16`.
  @inlinable public static var dataType: DataType { .uint16 }
}
extension Int16: Voxel {
  /// `int16`.
  @inlinable public static var dataType: DataType { .int16 }
}
extension UInt32: Voxel {
  /// `uint32`.
  @inlinable public static var dataType: DataType { .uint32 }
}
extension Int32: Voxel {
  /// `int32`.
  @inlinable public static var dataType: DataType { .int32 }
}
extension UInt64: Voxel {
  /// `uint64`.
  @inlinable public static var dataType: DataType { .uint64 }
}
extension Int64: Voxel {
  /// `int64`.
  @inlinable public static var dataType: DataType { .int64 }
}
extension Float16: Voxel {
  /// `float16`.
  @inlinable public static var dataType: DataType { .float16 }
}
extension Float: Voxel {
  /// `float32`.
  @inlinable public static var dataType: DataType { .float32 }
}
extension Double: Voxel {
  /// `float64`.
  @inlinable public static var dataType: DataType { .float64 }
}

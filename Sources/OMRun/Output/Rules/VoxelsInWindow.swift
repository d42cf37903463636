/// A type of voxels of which windows can be ordered.
protocol OrderInWindow: BitwiseCopyable, Comparable {
  /// What stands for a value where values are compared in vector code.
  associatedtype Key: BitwiseCopyable, Comparable
  /// What stands for a value where values are sorted; any bits come back.
  associatedtype Sorted: BitwiseCopyable, Comparable

  /// A value in the order of its type; only for values that are plain.
  var key: Key { get }
  /// The value of a key.
  init(key: Key)
  /// The keys of a pair of neighbours, of which a row holds one after the other.
  static func keys(_ row: UnsafePointer<Self>, _ index: Int) -> (Key, Key)

  /// The value as it is sorted.
  var sorted: Sorted { get }
  /// The value that was sorted.
  init(sorted: Sorted)

  /// Whether keys compare as the values do, even where values are not plain.
  static var keysAreValues: Bool { get }
  /// Whether the values have a total order, in which only same bits are equal.
  static func arePlain(_ values: UnsafePointer<Self>, _ count: Int) -> Bool

  /// Whether the type has values that are no numbers.
  static var hasNaN: Bool { get }

  /// What no value lies above: the largest integer, infinity.
  static var top: Self { get }
  /// What no value lies below.
  static var bottom: Self { get }
}

extension OrderInWindow {
  @inline(__always)
  static func keys(_ row: UnsafePointer<Self>, _ index: Int) -> (Key, Key) {
    (row[2 * index].key, row[2 * index + 1].key)
  }
  static var keysAreValues: Bool { true }
}

extension OrderInWindow where Key == Self {
  @inline(__always) var key: Self { self }
  @inline(__always) init(key: Self) { self = key }
}

extension OrderInWindow where Sorted == Self {
  @inline(__always) var sorted: Self { self }
  @inline(__always) init(sorted: Self) { self = sorted }
}

/// An integer type of voxels.
protocol IntegerInWindow: OrderInWindow, FixedWidthInteger
where Key: FixedWidthInteger, Sorted == Self {
  /// Holds the sum of eight values.
  associatedtype SumOfEight: FixedWidthInteger & SignedInteger
  /// Holds the sum of any window.
  associatedtype Sum: FixedWidthInteger & SignedInteger
}

extension IntegerInWindow {
  static func arePlain(_: UnsafePointer<Self>, _: Int) -> Bool { true }
  static var hasNaN: Bool { false }
  static var top: Self { .max }
  static var bottom: Self { .min }
}

/// Bytes are taken two at a time: processors without SSSE3 cannot take neighbours of a vector of
/// bytes apart in one step, and have no minimum of signed bytes.
extension UInt8: IntegerInWindow {
  typealias SumOfEight = Int16
  typealias Sum = Int64
  @inline(__always) var key: Int16 { Int16(truncatingIfNeeded: self) }
  @inline(__always) init(key: Int16) { self.init(truncatingIfNeeded: key) }
  @inline(__always)
  static func keys(_ row: UnsafePointer<UInt8>, _ index: Int) -> (Int16, Int16) {
    let both = UInt16(
      littleEndian: UnsafeRawPointer(row).loadUnaligned(
        fromByteOffset: 2 * index, as: UInt16.self))
    return (Int16(bitPattern: both & 0xff), Int16(bitPattern: both &>> 8))
  }
}
extension Int8: IntegerInWindow {
  typealias SumOfEight = Int16
  typealias Sum = Int64
  @inline(__always) var key: Int16 { Int16(truncatingIfNeeded: self) }
  @inline(__always) init(key: Int16) { self.init(truncatingIfNeeded: key) }
  @inline(__always)
  static func keys(_ row: UnsafePointer<Int8>, _ index: Int) -> (Int16, Int16) {
    let both = Int16(
      littleEndian: UnsafeRawPointer(row).loadUnaligned(fromByteOffset: 2 * index, as: Int16.self))
    return ((both &<< 8) &>> 8, both &>> 8)
  }
}
extension UInt16: IntegerInWindow {
  typealias Key = UInt16
  typealias SumOfEight = Int32
  typealias Sum = Int64
}
extension Int16: IntegerInWindow {
  typealias Key = Int16
  typealias SumOfEight = Int32
  typealias Sum = Int64
}
extension UInt32: IntegerInWindow {
  typealias Key = UInt32
  typealias SumOfEight = Int64
  typealias Sum = Int64
}
extension Int32: IntegerInWindow {
  typealias Key = Int32
  typealias SumOfEight = Int64
  typealias Sum = Int64
}
extension UInt64: IntegerInWindow {
  typealias Key = UInt64
  typealias SumOfEight = Int128
  typealias Sum = Int128
}
extension Int64: IntegerInWindow {
  typealias Key = Int64
  typealias SumOfEight = Int128
  typealias Sum = Int128
}

/// A floating-point type of voxels.
protocol FloatInWindow: OrderInWindow, BinaryFloatingPoint {
  /// The type in which windows are added.
  associatedtype Sum: BinaryFloatingPoint
  associatedtype Bits: FixedWidthInteger & UnsignedInteger

  var bits: Bits { get }
  var widened: Sum { get }
  /// Rounds a sum half to even.
  init(narrowing sum: Sum)
}

extension FloatInWindow {
  static var hasNaN: Bool { true }
  static var top: Self { .infinity }
  static var bottom: Self { -.infinity }

  /// Whether neither a NaN nor a zero with a sign is among the values.
  static func arePlain(_ values: UnsafePointer<Self>, _ count: Int) -> Bool {
    let (sign, infinity) = ((-Self.zero).bits, Self.infinity.bits)
    var odd: Bits = 0
    for index in 0..<count {
      let bits = values[index].bits
      odd |= (bits & ~sign > infinity ? 1 : 0) | (bits == sign ? 1 : 0)
    }
    return odd == 0
  }
}

extension Float: FloatInWindow {
  typealias Sorted = Float
  typealias Key = Float
  @inline(__always) var bits: UInt32 { bitPattern }
  @inline(__always) var widened: Float { self }
  @inline(__always) init(narrowing sum: Float) { self = sum }
}

extension Double: FloatInWindow {
  typealias Sorted = Double
  typealias Key = Double
  @inline(__always) var bits: UInt64 { bitPattern }
  @inline(__always) var widened: Double { self }
  @inline(__always) init(narrowing sum: Double) { self = sum }
}

/// Processors without instructions for float16 call a function for each conversion, so the few
/// steps of a conversion are written out here, where they become vector code.
extension Float16: FloatInWindow {
  @inline(__always) var bits: UInt16 { bitPattern }

  /// The bits as an integer in the order of the values: those below 0 run backwards.
  @inline(__always) var key: Int16 {
    let signed = Int16(bitPattern: bitPattern)
    return signed ^ ((signed &>> 15) & 0x7fff)
  }
  @inline(__always) init(key: Int16) {
    self.init(bitPattern: UInt16(bitPattern: key ^ ((key &>> 15) & 0x7fff)))
  }
  static var keysAreValues: Bool { false }

  @inline(__always) var sorted: Float { widened }
  @inline(__always) init(sorted: Float) { self.init(narrowing: sorted) }

  @inline(__always) var widened: Float {
    let magnitude = UInt32(truncatingIfNeeded: bitPattern & 0x7fff) &<< 13
    let sign = UInt32(truncatingIfNeeded: bitPattern & 0x8000) &<< 16
    // The exponent counts from another number; a product also makes subnormal numbers normal.
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    // What has the largest exponent (infinity, NaN) keeps it.
    let all = scaled | (magnitude >= 0x0f80_0000 ? 0x7f80_0000 : 0)
    return Float(bitPattern: all | sign)
  }

  @inline(__always) init(narrowing sum: Float) {
    let magnitude = sum.bitPattern & 0x7fff_ffff
    let sign = (sum.bitPattern &>> 16) & 0x8000
    // Half of the lowest bit that stays is added, less one where that bit is 0 (half to even).
    let normal = (magnitude &- 0x3800_0000 &+ 0x0fff &+ ((magnitude &>> 13) & 1)) &>> 13
    // Below 2^-14 the sum with 0.5 is rounded to multiples of 2^-24 by the addition itself.
    let small = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3f00_0000
    let large: UInt32 =
      magnitude > 0x7f80_0000 ? 0x7e00 | ((magnitude &>> 13) & 0x3ff) : 0x7c00
    let finite = magnitude < 0x3880_0000 ? small : normal
    let bits = magnitude >= 0x4780_0000 ? large : finite
    self.init(bitPattern: UInt16(truncatingIfNeeded: bits | sign))
  }
}

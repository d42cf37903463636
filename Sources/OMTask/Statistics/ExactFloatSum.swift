/// A sum of finite floating-point numbers without any rounding, so that order cannot matter.
///
/// There is one 128-bit integer per exponent of a `Double`; a number adds its signed significand
/// to the slot of its exponent. Up to 2^74 numbers fit. The slots are joined and rounded once, to
/// nearest even, when the sum is read. Source of the idea: R. Neal, "Fast exact summation using
/// small and large superaccumulators", arXiv:1505.05571 (2015).
struct ExactFloatSum: Sendable, Equatable {
  /// The number of exponents of a `Double`.
  static let slotCount = 2048
  /// The sum of the significands with each exponent field, in units of that exponent.
  private(set) var slots = [Int128](repeating: 0, count: slotCount)

  /// Adds numbers that are known to be finite.
  @inline(__always)
  mutating func add<Voxel: FloatVoxel>(_ voxels: UnsafePointer<Voxel>, _ length: Int) {
    slots.withUnsafeMutableBufferPointer { slots in
      guard let slots = slots.baseAddress else { return }
      for index in 0..<length {
        let (slot, significand) = Self.parts(Double(voxels[index].value))
        slots[slot] &+= Int128(significand)
      }
    }
  }

  /// Adds one finite number several times.
  mutating func add(_ value: Double, times: UInt64) {
    let (slot, significand) = Self.parts(value)
    slots[slot] &+= Int128(significand) &* Int128(times)
  }

  /// Adds what another sum holds.
  mutating func add(_ other: ExactFloatSum) {
    for slot in slots.indices { slots[slot] &+= other.slots[slot] }
  }

  /// Adds significands to one slot, when a sum is read from bytes.
  mutating func add(significands: Int128, toSlot slot: Int) { slots[slot] &+= significands }

  @inline(__always)
  private static func parts(_ value: Double) -> (slot: Int, significand: Int64) {
    let bits = value.bitPattern
    let exponent = Int(truncatingIfNeeded: bits &>> 52) & 0x7ff
    let fraction = Int64(truncatingIfNeeded: bits & 0xf_ffff_ffff_ffff)
    let magnitude = exponent == 0 ? fraction : fraction | 1 &<< 52
    return (exponent, Int64(bitPattern: bits) < 0 ? 0 &- magnitude : magnitude)
  }

  /// The sum, rounded once; infinite when it is too large for a `Double`.
  var rounded: Double {
    var words = joined
    let isNegative = Int64(bitPattern: words[words.count - 1]) < 0
    if isNegative { Self.negate(&words) }
    guard let top = words.lastIndex(where: { $0 != 0 }) else { return 0 }
    let highest = top * 64 + 63 - words[top].leadingZeroBitCount
    let dropped = max(0, highest - 52)
    var significand = Self.bits(of: words, from: dropped)
    if dropped > 0 {
      let half = Self.bits(of: words, from: dropped - 1) & 1 == 1
      let isBeyondHalf = (0..<(dropped - 1)).contains { words[$0 / 64] >> ($0 % 64) & 1 == 1 }
      if half && (isBeyondHalf || significand & 1 == 1) { significand += 1 }
    }
    let magnitude = Double(sign: .plus, exponent: dropped - 1074, significand: Double(significand))
    return isNegative ? -magnitude : magnitude
  }

  /// All slots as one two's complement integer in units of 2^-1074, least word first.
  private var joined: [UInt64] {
    var words = [UInt64](repeating: 0, count: Self.slotCount / 64 + 4)
    for (slot, value) in slots.enumerated() where value != 0 {
      let shift = max(slot, 1) - 1
      let sign: UInt64 = value < 0 ? .max : 0
      let spread = [
        UInt64(truncatingIfNeeded: value << (shift % 64)),
        UInt64(truncatingIfNeeded: value >> (64 - shift % 64)),
        UInt64(truncatingIfNeeded: (value >> 64) >> (64 - shift % 64)),
      ]
      var carry: UInt128 = 0
      for word in (shift / 64)..<words.count {
        let part = word - shift / 64
        let total = UInt128(words[word]) + UInt128(part < 3 ? spread[part] : sign) + carry
        words[word] = UInt64(truncatingIfNeeded: total)
        carry = total >> 64
      }
    }
    return words
  }

  private static func negate(_ words: inout [UInt64]) {
    var carry = true
    for word in words.indices {
      let (value, overflow) = (~words[word]).addingReportingOverflow(carry ? 1 : 0)
      words[word] = value
      carry = overflow
    }
  }

  /// The 53 bits (or more, at the bottom) that start at a bit.
  private static func bits(of words: [UInt64], from start: Int) -> UInt64 {
    let low = words[start / 64] >> (start % 64)
    let next = start / 64 + 1
    let high = start % 64 == 0 || next >= words.count ? 0 : words[next] << (64 - start % 64)
    return (low | high) & (1 << 53 - 1)
  }
}

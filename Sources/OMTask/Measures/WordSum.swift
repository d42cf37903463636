/// Sums of any width, as two's complement integers of 64-bit words, least word first.
///
/// Whole numbers are added as they are, floating-point numbers as multiples of the smallest one of
/// their type: so no sum is ever rounded, and its order cannot matter.
enum WordSum {
  /// Adds `value` times 2 to the power of `shift`.
  ///
  /// - Precondition: The sum, and every bit of the value, has room in `count` words.
  @inline(__always)
  static func add(
    _ value: Int128, shift: Int = 0, to words: UnsafeMutablePointer<UInt64>, count: Int
  ) {
    let bits = shift & 63
    let upper = value >> 64
    let sign: UInt64 = value < 0 ? .max : 0
    let low = UInt64(truncatingIfNeeded: value)
    let middle = UInt64(truncatingIfNeeded: upper)
    var word = shift >> 6
    var carry: UInt64 = 0
    let parts: (UInt64, UInt64, UInt64) =
      bits == 0
      ? (low, middle, sign)
      : (
        low << UInt64(bits), middle << UInt64(bits) | low >> UInt64(64 - bits),
        sign << UInt64(bits) | middle >> UInt64(64 - bits)
      )
    carry = add(parts.0, carry, words, &word, count)
    carry = add(parts.1, carry, words, &word, count)
    carry = add(parts.2, carry, words, &word, count)
    // What is left is the sign: with a carry it cancels, or it does nothing.
    while word < count && (carry == 1) != (sign != 0) {
      carry = add(sign, carry, words, &word, count)
    }
  }

  @inline(__always)
  private static func add(
    _ part: UInt64, _ carry: UInt64, _ words: UnsafeMutablePointer<UInt64>, _ word: inout Int,
    _ count: Int
  ) -> UInt64 {
    guard word < count else { return 0 }
    let (first, overflow) = words[word].addingReportingOverflow(part)
    let (total, again) = first.addingReportingOverflow(carry)
    words[word] = total
    word += 1
    return overflow || again ? 1 : 0
  }

  /// Adds another sum of the same width.
  static func add(
    _ other: UnsafePointer<UInt64>, to words: UnsafeMutablePointer<UInt64>, count: Int
  ) {
    var carry: UInt64 = 0
    var word = 0
    while word < count { carry = add(other[word], carry, words, &word, count) }
  }
}

/// A whole number of any size: what differences of products of sums need to be exact.
struct ExactInteger: Sendable, Equatable {
  /// The magnitude, least word first, without zero words at its end.
  private var words: [UInt64]
  private var isNegative: Bool

  private init(_ words: [UInt64], isNegative: Bool) {
    var words = words
    while words.last == 0 { words.removeLast() }
    self.words = words
    self.isNegative = isNegative && !words.isEmpty
  }

  /// A small number.
  init(_ value: Int128) {
    let magnitude = value.magnitude
    self.init(
      [UInt64(truncatingIfNeeded: magnitude), UInt64(truncatingIfNeeded: magnitude >> 64)],
      isNegative: value < 0)
  }

  /// A two's complement integer, least word first.
  init(sum: some Collection<UInt64>) {
    var words = Array(sum)
    let isNegative = words.last.map { $0 >> 63 == 1 } ?? false
    if isNegative {
      var carry = true
      for word in words.indices {
        (words[word], carry) = (~words[word]).addingReportingOverflow(carry ? 1 : 0)
      }
    }
    self.init(words, isNegative: isNegative)
  }

  static func * (left: ExactInteger, right: ExactInteger) -> ExactInteger {
    var words = [UInt64](repeating: 0, count: left.words.count + right.words.count)
    for (row, factor) in left.words.enumerated() {
      var carry: UInt64 = 0
      for (column, other) in right.words.enumerated() {
        let product =
          UInt128(factor) * UInt128(other) + UInt128(words[row + column]) + UInt128(carry)
        words[row + column] = UInt64(truncatingIfNeeded: product)
        carry = UInt64(truncatingIfNeeded: product >> 64)
      }
      words[row + right.words.count] = carry
    }
    return ExactInteger(words, isNegative: left.isNegative != right.isNegative)
  }

  static func + (left: ExactInteger, right: ExactInteger) -> ExactInteger {
    if left.isNegative == right.isNegative {
      return ExactInteger(added(left.words, right.words), isNegative: left.isNegative)
    }
    if isLess(left.words, right.words) {
      return ExactInteger(subtracted(right.words, left.words), isNegative: right.isNegative)
    }
    return ExactInteger(subtracted(left.words, right.words), isNegative: left.isNegative)
  }

  static func - (left: ExactInteger, right: ExactInteger) -> ExactInteger {
    left + ExactInteger(right.words, isNegative: !right.isNegative)
  }

  private static func isLess(_ left: [UInt64], _ right: [UInt64]) -> Bool {
    if left.count != right.count { return left.count < right.count }
    for word in left.indices.reversed() where left[word] != right[word] {
      return left[word] < right[word]
    }
    return false
  }

  private static func added(_ left: [UInt64], _ right: [UInt64]) -> [UInt64] {
    var result: [UInt64] = []
    var carry: UInt128 = 0
    for word in 0...max(left.count, right.count) {
      let total =
        carry + UInt128(word < left.count ? left[word] : 0)
        + UInt128(word < right.count ? right[word] : 0)
      result.append(UInt64(truncatingIfNeeded: total))
      carry = total >> 64
    }
    return result
  }

  /// The difference of two magnitudes, the second of which is not larger.
  private static func subtracted(_ left: [UInt64], _ right: [UInt64]) -> [UInt64] {
    var result = left
    var borrow: UInt64 = 0
    for word in result.indices {
      let other = word < right.count ? right[word] : 0
      let (first, under) = result[word].subtractingReportingOverflow(other)
      let (rest, again) = first.subtractingReportingOverflow(borrow)
      result[word] = rest
      borrow = under || again ? 1 : 0
    }
    return result
  }

  /// The number times 2 to the power of `exponent`, rounded once to the nearest double, ties to even.
  func rounded(exponent: Int = 0) -> Double {
    guard let top = words.last else { return 0 }
    let length = words.count * 64 - top.leadingZeroBitCount
    // A result below the normal range has fewer bits.
    let dropped = max(0, length - 53, -1074 - exponent)
    if dropped > length { return isNegative ? -0.0 : 0 }
    var significand = bits(from: dropped)
    if dropped > 0, bit(dropped - 1) {
      let isBeyondHalf = (0..<(dropped - 1)).contains(where: bit)
      if isBeyondHalf || significand & 1 == 1 { significand += 1 }
    }
    let power = dropped + exponent
    // Two steps, neither of which can round: the second only leaves the range of doubles.
    let half = power / 2
    let scaled =
      Double(significand) * Double(sign: .plus, exponent: half, significand: 1)
      * Double(sign: .plus, exponent: power - half, significand: 1)
    return isNegative ? -scaled : scaled
  }

  private func bit(_ place: Int) -> Bool { words[place / 64] >> UInt64(place % 64) & 1 == 1 }

  /// The bits from a place on, at most 54 of them.
  private func bits(from place: Int) -> UInt64 {
    let word = place / 64
    guard word < words.count else { return 0 }
    let low = words[word] >> UInt64(place % 64)
    let isLast = word + 1 == words.count || place % 64 == 0
    return isLast ? low : low | words[word + 1] << UInt64(64 - place % 64)
  }
}

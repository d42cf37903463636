/// Sums and maxima in the order and with the rounding of NumPy, on which the last bits depend.
///
/// Source: NumPy 2.4, `numpy/_core/src/umath`.
enum NumPyArithmetic {
  /// The sum of counts times weights as NumPy's `@` rounds it where OpenBLAS has the kernel for processors
  /// with AVX2 (Haswell, Zen); its other kernels may differ in the last bit.
  ///
  /// Whole blocks of 16 are added with one rounding per step in four registers of four lanes; these are
  /// folded, the registers joined in pairs, and what is left of the vectors is added one by one.
  static func dot(_ counts: [Int], _ weights: [Double]) -> Double {
    let whole = counts.count / 16 * 16
    var lanes = [Double](repeating: 0, count: 16)
    for place in 0..<whole {
      lanes[place % 16] = lanes[place % 16].addingProduct(Double(counts[place]), weights[place])
    }
    let halves = (0..<2).map { lane in
      let folded = (0..<4).map { lanes[4 * $0 + lane] + lanes[4 * $0 + lane + 2] }
      return (folded[0] + folded[1]) + (folded[2] + folded[3])
    }
    return (whole..<counts.count).reduce(halves[0] + halves[1]) {
      $0 + Double(counts[$1]) * weights[$1]
    }
  }

  /// The sum of contiguous numbers as `numpy.sum` adds them: in halves down to 128 numbers, which
  /// are added in eight interleaved chains (`loops_utils.h.src`, `pairwise_sum`).
  static func pairwiseSum<Value: BinaryFloatingPoint>(_ values: [Value]) -> Value {
    values.withUnsafeBufferPointer { values in
      values.baseAddress.map { pairwiseSum($0, values.count) } ?? 0
    }
  }

  private static func pairwiseSum<Value: BinaryFloatingPoint>(
    _ values: UnsafePointer<Value>, _ count: Int
  ) -> Value {
    if count > 128 {
      let half = count / 2 - count / 2 % 8
      return pairwiseSum(values, half) + pairwiseSum(values + half, count - half)
    }
    var sum: Value = 0
    let inChains = count - count % 8
    if inChains > 0 {
      var chains = (values[0], values[1], values[2], values[3])
      var others = (values[4], values[5], values[6], values[7])
      for start in stride(from: 8, to: inChains, by: 8) {
        chains.0 += values[start]
        chains.1 += values[start + 1]
        chains.2 += values[start + 2]
        chains.3 += values[start + 3]
        others.0 += values[start + 4]
        others.1 += values[start + 5]
        others.2 += values[start + 6]
        others.3 += values[start + 7]
      }
      sum =
        ((chains.0 + chains.1) + (chains.2 + chains.3))
        + ((others.0 + others.1) + (others.2 + others.3))
    }
    for index in inChains..<count { sum += values[index] }
    return sum
  }

  /// The running sums from the front, as `numpy.cumsum`.
  static func runningSums<Value: BinaryFloatingPoint>(_ values: some Sequence<Value>) -> [Value] {
    var total: Value = 0
    return values.map { value in
      total += value
      return total
    }
  }

  /// The running sums from the back: `numpy.cumsum(values[::-1])[::-1]`.
  static func runningSumsFromEnd<Value: BinaryFloatingPoint>(_ values: [Value]) -> [Value] {
    runningSums(values.reversed()).reversed()
  }

  /// The place of the first largest number, or of the first NaN, as `numpy.argmax`.
  static func firstMaximum<Value: BinaryFloatingPoint>(_ values: [Value]) -> Int? {
    guard var best = values.indices.first else { return nil }
    for (index, value) in values.enumerated() {
      if value.isNaN { return index }
      if value > values[best] { best = index }
    }
    return best
  }

  /// The natural logarithm as `numpy.log` computes it for single precision with FMA3 or AVX-512.
  ///
  /// Its results are up to 3.8 units in the last place off, so a better logarithm would settle
  /// near-ties differently. The mantissa is brought to (√½, √2]; log(1 + x) is a quotient of two
  /// polynomials. Source: NumPy, `loops_exponent_log.dispatch.c.src`, `simd_log_FLOAT`.
  static func log(_ value: Float) -> Float {
    guard value > 0 else { return value == 0 ? -.infinity : .nan }
    guard value.isFinite else { return value }
    var exponent = Float(value.exponent) + 1
    var mantissa = value.significand / 2
    if mantissa <= Float(0.5).squareRoot() {
      mantissa += mantissa
      exponent -= 1
    }
    let x = mantissa - 1
    return (polynomial(numerator, at: x) / polynomial(denominator, at: x))
      .addingProduct(exponent, 0.693_147_180_559_945_3)
  }

  /// Coefficients, the highest power first.
  private static let numerator: [Float] = [
    2.589_979_117_907_922_7e-2, 3.808_837_741_388_408e-1, 1.480_000_633_576_506_6,
    2.112_677_543_073_053, 9.999_999_999_999_987e-1, 0,
  ]
  private static let denominator: [Float] = [
    5.875_095_403_124_574e-3, 1.546_476_374_983_906_7e-1, 9.864_942_958_519_419e-1,
    2.453_006_071_784_736, 2.612_677_543_073_109, 1,
  ]

  /// Horner's rule, each step rounded once.
  private static func polynomial(_ coefficients: [Float], at x: Float) -> Float {
    var sum: Float = 0
    for coefficient in coefficients { sum = coefficient.addingProduct(sum, x) }
    return sum
  }
}

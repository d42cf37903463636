/// Random numbers that are the same for a seed on every machine and with every compiler.
///
/// The generator is SplitMix64 (Steele, Lea and Flood 2014).
struct TrialRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 to `count - 1`; 0 for a count below 1.
  mutating func below(_ count: Int) -> Int {
    count < 1 ? 0 : Int(next() % UInt64(count))
  }

  /// A number of a range.
  mutating func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.count)
  }

  /// One of some values.
  mutating func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }

  /// The numbers below a count in any order.
  mutating func order(_ count: Int) -> [Int] {
    var numbers = Array(0..<count)
    for index in numbers.indices.reversed() { numbers.swapAt(index, below(index + 1)) }
    return numbers
  }
}

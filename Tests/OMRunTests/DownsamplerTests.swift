import OMGrid
import OMTask
import TestSupport
import Testing

@testable import OMRun

@Suite struct DownsamplerTests {
  @Test(
    arguments: [
      // window, mode, stride, mean, median, min, max
      ([3, 1, 3, 1], [1, 3, 2, 1, 1, 3]), ([5, 5, 2, 9], [5, 5, 5, 5, 2, 9]),
      ([0, 7, 7, 0], [0, 0, 4, 0, 0, 7]), ([0, 0, 0, 4], [0, 0, 1, 0, 0, 4]),
      ([9, 8, 7, 6], [6, 9, 8, 7, 6, 9]), ([127, 127, 1, 2], [127, 127, 64, 2, 1, 127]),
      ([4, 4, 4, 4], [4, 4, 4, 4, 4, 4]),
    ] as [([Double], [Double])], DataType.allCases.filter(\.isInteger))
  func `each method has its rule`(example: ([Double], [Double]), type: DataType) {
    let (window, expected) = example
    let methods: [Downsampling] = [.mode, .stride, .mean, .median, .min, .max]
    for (method, value) in zip(methods, expected) {
      #expect(made(method, type, window, [2, 2], [1, 1], [2, 2]) == [value], "\(method)")
    }
  }

  @Test func `windows at the edge count only voxels that exist`() {
    let fine: [Double] = [
      1, 1, 2,
      1, 1, 3,
      5, 6, 4,
    ]
    #expect(made(.mode, .uint8, fine, [3, 3], [2, 2], [2, 2]) == [1, 2, 5, 4])
    #expect(made(.stride, .uint8, fine, [3, 3], [2, 2], [2, 2]) == [1, 2, 5, 4])
    #expect(made(.mean, .float32, fine, [3, 3], [2, 2], [2, 2]) == [1, 2.5, 5.5, 4])
    #expect(made(.min, .uint8, fine, [3, 3], [2, 2], [2, 2]) == [1, 2, 5, 4])
    // Sizes rounded down leave the last row and column out.
    #expect(made(.mode, .uint8, fine, [3, 3], [1, 1], [2, 2]) == [1])
    #expect(made(.max, .uint8, fine, [3, 3], [1, 1], [2, 2]) == [1])
  }

  @Test func `ratios differ from axis to axis`() {
    let fine: [Double] = [1, 2, 2, 3, 3, 3, 7, 8, 8, 9, 9, 9]
    #expect(made(.mode, .uint8, fine, [2, 6], [2, 2], [1, 3]) == [2, 3, 8, 9])
    #expect(made(.mode, .uint8, fine, [2, 6], [1, 6], [2, 1]) == [1, 2, 2, 3, 3, 3])
    #expect(made(.mean, .uint8, fine, [2, 6], [1, 6], [2, 1]) == [4, 5, 5, 6, 6, 6])
  }

  @Test(
    arguments: [
      // 0.5, 1.5, 2.5, -0.5, -1.5, -2.5
      ([0, 1], 0), ([1, 2], 2), ([2, 3], 2), ([-1, 0], 0), ([-1, -2], -2), ([-3, -2], -2),
      // quarters and eighths around a half
      ([1, 0, 0, 1], 0), ([3, 3, 2, 2], 2), ([4, 3, 3, 4], 4), ([1, 1, 1, 0], 1),
      ([0, 1, 0, 0], 0),
      ([-1, -1, -1, 0], -1), ([1, 0, 0, 0, 1, 1, 1, 0], 0), ([1, 2, 2, 2, 1, 1, 1, 2], 2),
      ([1, 1, 1, 0, 1, 0, 0, 1], 1), ([-1, 0, -1, 0, -1, 0, 0, 0], 0),
      // windows that are no power of two
      ([0, 0, 2], 1), ([0, 1, 0], 0), ([1, 1, 1, 0, 0, 0], 0), ([2, 1, 2, 1, 2, 1], 2),
      ([-1, -1, -1, 0, 0, 0], 0), ([-2, -1, -2, -1, -2, -1], -2), ([-1, -1, 0], -1),
    ] as [([Double], Double)], DataType.allCases.filter(\.isInteger))
  func `means of integers are rounded half to even`(example: ([Double], Double), type: DataType) {
    let (window, mean) = example
    if !type.isSigned && (window.min() ?? 0) < 0 { return }
    // Forty windows side by side, so that vector code and its rest see them.
    let rows = window.count > 3 ? window.count / (window.count % 3 == 0 ? 3 : 2) : 1
    let width = window.count / rows
    let fine = (0..<rows).flatMap { row in
      (0..<40).flatMap { _ in window[row * width..<(row + 1) * width] }
    }
    #expect(
      made(.mean, type, fine, [rows, 40 * width], [1, 40], [Double(rows), Double(width)])
        == Array(repeating: mean, count: 40))
  }

  @Test(arguments: DataType.allCases, [[2, 2], [2, 2, 2], [3, 3], [4, 4, 4]])
  func `sums of the largest values do not overflow`(type: DataType, factors: [Int]) {
    if type.isFloat { return }
    let step = LevelStep(factors.dropLast() + [36], factors: factors)
    let largest: UInt8 = type == .bool ? 1 : 0xff
    var ends = Voxels(type, roomFor: step.fine.reduce(1, *))
    for signBit: UInt8 in [largest, largest >> 1, 0x80] {
      // The largest value of the type, that of its signed twin, and the lowest.
      if type == .bool && signBit != 1 { continue }
      for index in 0..<ends.count {
        var value = Array(repeating: signBit == 0x80 ? 0 : largest, count: type.byteCount)
        value[type.byteCount - 1] = signBit
        ends[index] = value[...]
      }
      for method in Downsampling.allCases {
        let made = step.make(method, ends)
        #expect((0..<made.count).allSatisfy { made[$0].elementsEqual(ends[0]) }, "\(method)")
      }
    }
  }

  static let steps: [LevelStep] = [
    LevelStep([7], [4], [2]), LevelStep([5, 6], [3, 3], [2, 2]),
    LevelStep([5, 7], [2, 3], [2, 2]),
    LevelStep([4, 5, 39], [4, 3, 20], [1, 2, 2]), LevelStep([5, 5, 38], factors: [2, 2, 2]),
    LevelStep([3, 5, 10], [2, 3, 7], [2, 2, 1.43]), LevelStep([10, 13], [7, 9], [1.43, 1.43]),
    LevelStep([2, 3, 4, 6], [2, 3, 2, 2], [1, 1, 2, 3]), LevelStep([4, 6, 5], factors: [2, 3, 1]),
    LevelStep([2, 4, 4, 5], factors: [2, 2, 2, 2]), LevelStep([9, 11], factors: [9, 9]),
  ]

  @Test(arguments: DataType.allCases, steps)
  func `every type and shape is made as by hand`(type: DataType, step: LevelStep) {
    var random = SplitMix(seed: 9)
    let low: Double = type.isSigned || type.isFloat ? -3 : 0
    let fine = Voxels(
      type,
      (0..<step.fine.reduce(1, *)).map { _ in
        low + Double(random.next() % (type == .bool ? 2 : 7))
      })
    for method in Downsampling.allCases {
      let expected = step.windowNumbers(fine).map { byHand(method, $0, type) }
      #expect(step.make(method, fine).numbers == expected, "\(method)")
    }
  }

  @Test(arguments: DataType.allCases, Downsampling.allCases)
  func `boxes made for themselves are those of the whole`(type: DataType, method: Downsampling) {
    var random = SplitMix(seed: 21)
    for step in DownsamplerTests.steps + [LevelStep([6, 7, 41], factors: [2, 2, 2])] {
      var fine = Voxels(type, roomFor: step.fine.reduce(1, *))
      fine.bytes = fine.bytes.map { _ in UInt8(random.next() % (type == .bool ? 2 : 256)) }
      let whole = step.make(method, fine).withOneNaN
      let grid = ChunkGrid(
        arrayShape: step.coarse, cellShape: step.coarse.map { 1 + Int(random.next() % 3) % $0 })
      for number in 0..<grid.count {
        let box = grid.region(at: grid.position(of: number))
        let part = step.make(method, fine, box, padding: number % 3).withOneNaN
        var index = 0
        forEachPosition(in: box) { position in
          #expect(
            part[index].elementsEqual(whole[position.at(rowMajorStrides(step.coarse))]), "\(step)")
          index += 1
        }
      }
    }
  }

  @Test(arguments: [DataType.float16, .float32, .float64])
  func `where a NaN lies decides as in tensorstore`(type: DataType) {
    let nan = Double.nan
    let examples: [([Double], mode: Double, median: Double, min: Double, max: Double)] = [
      ([nan, 1, 2, 3], nan, 2, 1, 3), ([1, 2, 3, nan], 1, 2, 1, 3),
      ([nan, nan, 1, 2], nan, nan, 1, 2), ([nan, nan, nan, nan], nan, nan, .infinity, -.infinity),
      ([0, -0.0, 5, -0.0], -0.0, -0.0, 0, 5), ([-0.0, 0, -0.0, 0], 0, 0, -0.0, -0.0),
    ]
    for example in examples {
      let expected: [(Downsampling, Double)] = [
        (.mode, example.mode), (.median, example.median), (.min, example.min), (.max, example.max),
      ]
      for (method, value) in expected {
        let made = LevelStep([2, 2], factors: [2, 2]).make(method, Voxels(type, example.0))
        #expect(made.withOneNaN == Voxels(type, [value]).withOneNaN, "\(method) of \(example.0)")
      }
      let mean = LevelStep([2, 2], factors: [2, 2]).make(.mean, Voxels(type, example.0)).numbers[0]
      #expect(mean.isNaN == example.0.contains { $0.isNaN })
    }
  }

  @Test(arguments: Downsampling.allCases)
  func `levels of one size have the same voxels`(method: Downsampling) {
    let voxels = Voxels(.float32, [.nan, -0.0, 1, 2, .infinity, 3])
    #expect(LevelStep([2, 3], factors: [1, 1]).make(method, voxels) == voxels)
    #expect(
      LevelStep([1, 1], factors: [2, 2]).make(method, Voxels(.float32, [.nan])).numbers[0].isNaN)
  }

  @Test(arguments: DataType.allCases.filter { $0 != .bool })
  func `large windows are sorted`(type: DataType) {
    var random = SplitMix(seed: 3)
    let step = LevelStep([18, 16, 9], factors: [9, 8, 9])
    let count = step.fine.reduce(1, *)
    let orders: [[Double]] = [
      (0..<count).map { _ in Double(random.next() % 100) }, (0..<count).map { Double($0 % 120) },
      (0..<count).map { Double(min($0 % 100, 100 - $0 % 100)) },
      (0..<count).map { Double($0 % 2) }, (0..<count).map { 119 - Double($0 % 120) },
    ]
    for numbers in orders {
      let fine = Voxels(type, numbers)
      for method in [Downsampling.mode, .median] {
        let expected = step.windowNumbers(fine).map { byHand(method, $0, type) }
        #expect(step.make(method, fine).numbers == expected, "\(method)")
      }
    }
  }

  /// What a method makes of the numbers of a window, in the plainest way.
  private func byHand(_ method: Downsampling, _ window: [Double], _ type: DataType) -> Double {
    let sorted = window.sorted()
    switch method {
    case .stride: return window[0]
    case .min: return sorted[0]
    case .max: return sorted[window.count - 1]
    case .median: return sorted[(window.count - 1) / 2]
    case .mode:
      let counts = Dictionary(window.map { ($0, 1) }, uniquingKeysWith: +)
      let most = counts.values.max()
      return counts.filter { $0.value == most }.keys.min() ?? .nan
    case .mean:
      let mean = window.reduce(0, +) / Double(window.count)
      if !type.isFloat { return mean.rounded(.toNearestOrEven) }
      return Voxels(type, [mean]).numbers[0]
    }
  }

  private func made(
    _ method: Downsampling, _ type: DataType, _ voxels: [Double], _ fine: [Int], _ coarse: [Int],
    _ ratios: [Double]
  ) -> [Double] {
    LevelStep(fine, coarse, ratios).make(method, Voxels(type, voxels)).numbers
  }
}

@Suite struct HalfPrecisionTests {
  @Test func `every float16 becomes the float32 of its value`() {
    for bits in UInt16.min...UInt16.max {
      let half = Float16(bitPattern: bits)
      let (widened, expected) = (half.widened, Float(half))
      if half.isNaN { #expect(widened.isNaN) }
      if !half.isNaN && widened.bitPattern != expected.bitPattern {
        Issue.record("\(half) became \(widened)")
      }
      if !half.isNaN && Float16(narrowing: widened).bitPattern != bits {
        Issue.record("\(half) did not come back")
      }
      if half.isNaN { #expect(Float16(narrowing: widened).isNaN) }
    }
  }

  @Test func `float32 is rounded half to even, also among subnormal numbers`() {
    var random = SplitMix(seed: 8)
    for index in 0..<200_000 {
      // Half of them lie at or beside the middle of two float16.
      let near = Float(Float16(bitPattern: UInt16(random.next() % 0x7c00)))
      let next = Float(Float16(near).nextUp)
      let middle = Float((Double(near) + Double(next)) / 2)
      let beside = [middle, middle.nextUp, middle.nextDown, -middle][Int(random.next() % 4)]
      let any = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      let value = index % 2 == 0 && beside.isFinite ? beside : any
      let (narrow, expected) = (Float16(narrowing: value), Float16(value))
      if expected.isNaN ? !narrow.isNaN : narrow.bitPattern != expected.bitPattern {
        Issue.record("\(value) became \(narrow), not \(expected)")
      }
    }
  }
}

@Suite struct SelectionTests {
  @Test(arguments: [Downsampling.median, .mode])
  func `no order of the values makes sorting quadratic`(method: Downsampling) {
    let count = 4_000
    let adversary = Adversary(count)
    var values = (0..<count).map { Adversary.Value(index: $0, adversary: adversary) }
    values.withUnsafeMutableBufferPointer { values in
      guard let start = values.baseAddress else { return }
      _ =
        method == .median
        ? Selection.median(start, count: count) : Selection.mode(start, count: count)
    }
    #expect(adversary.comparisons < 60 * count, "\(adversary.comparisons) comparisons")
  }
}

/// Decides what values are while they are compared, so that quicksort cuts off little.
///
/// After "A killer adversary for quicksort" by McIlroy (1999).
private final class Adversary {
  struct Value: Comparable {
    let index: Int
    unowned let adversary: Adversary

    static func < (left: Value, right: Value) -> Bool {
      left.adversary.isLess(left.index, right.index)
    }
    static func == (left: Value, right: Value) -> Bool { left.index == right.index }
  }

  private(set) var comparisons = 0
  private var ranks: [Int]
  private var decided = 0
  private var candidate = 0
  private var undecided: Int { ranks.count }

  init(_ count: Int) { ranks = Array(repeating: count, count: count) }

  private func isLess(_ left: Int, _ right: Int) -> Bool {
    comparisons += 1
    if ranks[left] == undecided && ranks[right] == undecided {
      ranks[left == candidate ? left : right] = decided
      decided += 1
    }
    if ranks[left] == undecided {
      candidate = left
    } else if ranks[right] == undecided {
      candidate = right
    }
    return ranks[left] < ranks[right]
  }
}

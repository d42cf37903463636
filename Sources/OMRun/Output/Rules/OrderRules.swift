/// Which of two values a minimum or a maximum keeps.
protocol Preference {
  /// The second value where it is preferred, else the first.
  static func better<Value: Comparable>(_ best: Value, _ next: Value) -> Value
  /// What every value is preferred to.
  static func start<Value: OrderInWindow>(_: Value.Type) -> Value
}

/// Prefers smaller values.
enum Smaller: Preference {
  @inline(__always)
  static func better<Value: Comparable>(_ best: Value, _ next: Value) -> Value {
    next < best ? next : best
  }
  @inline(__always) static func start<Value: OrderInWindow>(_: Value.Type) -> Value { Value.top }
}

/// Prefers larger values.
enum Larger: Preference {
  @inline(__always)
  static func better<Value: Comparable>(_ best: Value, _ next: Value) -> Value {
    best < next ? next : best
  }
  @inline(__always) static func start<Value: OrderInWindow>(_: Value.Type) -> Value {
    Value.bottom
  }
}

/// The smallest or the largest value of the window.
///
/// As in tensorstore NaN is passed over; a window of nothing but NaN has the minimum +infinity and
/// the maximum -infinity. Of zeros of either sign the first in C order stays.
struct Extreme<Voxel: OrderInWindow, Choice: Preference>: WindowRule {
  init(room: UnsafeMutableRawPointer) {}

  func voxel(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel {
    var best = Choice.start(Voxel.self)
    for row in rows {
      for x in columns { best = Choice.better(best, row[x]) }
    }
    return best
  }

  func pairs(_ line: UnsafeMutablePointer<Voxel>, _ count: Int, _ rows: FineRows<Voxel>) -> Bool {
    if rows.count != 1 && rows.count != 2 && rows.count != 4 { return false }
    if !Voxel.keysAreValues && !rows.allSatisfy({ Voxel.arePlain($0, 2 * count) }) { return false }
    switch rows.count {
    case 1:
      let a = rows[0]
      for index in 0..<count { line[index] = Voxel(key: first(a, index)) }
    case 2:
      let (a, b) = (rows[0], rows[1])
      for index in 0..<count {
        line[index] = Voxel(key: best(b, index, first(a, index)))
      }
    default:
      let (a, b, c, d) = (rows[0], rows[1], rows[2], rows[3])
      for index in 0..<count {
        let half = best(b, index, first(a, index))
        line[index] = Voxel(key: best(d, index, best(c, index, half)))
      }
    }
    return true
  }

  @inline(__always)
  private func first(_ row: UnsafePointer<Voxel>, _ index: Int) -> Voxel.Key {
    // Only NaN needs something to begin with, and where all values have an order the compiler makes
    // jumps of it.
    if Voxel.hasNaN { return best(row, index, Choice.start(Voxel.self).key) }
    let (first, second) = Voxel.keys(row, index)
    return Choice.better(first, second)
  }

  @inline(__always)
  private func best(_ row: UnsafePointer<Voxel>, _ index: Int, _ start: Voxel.Key) -> Voxel.Key {
    let (first, second) = Voxel.keys(row, index)
    return Choice.better(Choice.better(start, first), second)
  }
}

/// The median of the window: of an even number of values, the lower of the two in the middle.
///
/// NaN has no place in an order. With NaN or zeros of either sign among the values, what comes out
/// depends on where they lie in the window, in the very way of tensorstore (see `Selection`).
struct Median<Voxel: OrderInWindow>: WindowRule {
  static var needsRoom: Bool { true }

  private let room: UnsafeMutablePointer<Voxel.Sorted>

  init(room: UnsafeMutableRawPointer) {
    self.room = room.assumingMemoryBound(to: Voxel.Sorted.self)
  }

  func voxel(_ rows: FineRows<Voxel>, _ columns: Range<Int>) -> Voxel {
    Voxel(sorted: Selection.median(room, count: Selection.gather(rows, columns, room)))
  }

  func pairs(_ line: UnsafeMutablePointer<Voxel>, _ count: Int, _ rows: FineRows<Voxel>) -> Bool {
    if rows.count != 1 && rows.count != 2 && rows.count != 4 { return false }
    if !rows.allSatisfy({ Voxel.arePlain($0, 2 * count) }) { return false }
    switch rows.count {
    case 1:
      let a = rows[0]
      for index in 0..<count { line[index] = Voxel(key: pair(a, index).low) }
    case 2:
      let (a, b) = (rows[0], rows[1])
      for index in 0..<count {
        let (first, second) = (pair(a, index), pair(b, index))
        let low = larger(first.low, second.low)
        line[index] = Voxel(key: smaller(low, smaller(first.high, second.high)))
      }
    default:
      let (a, b, c, d) = (rows[0], rows[1], rows[2], rows[3])
      for index in 0..<count {
        let first = sorted(pair(a, index), pair(b, index))
        let second = sorted(pair(c, index), pair(d, index))
        // The fourth of two sorted fours: some values of the one and the rest of the other are
        // the four smallest, and the larger of their last ones is the smallest for that split.
        let even = smaller(smaller(first.3, second.3), larger(first.1, second.1))
        let uneven = smaller(larger(first.0, second.2), larger(first.2, second.0))
        line[index] = Voxel(key: smaller(even, uneven))
      }
    }
    return true
  }

  private typealias Key = Voxel.Key

  @inline(__always) private func smaller(_ a: Key, _ b: Key) -> Key { b < a ? b : a }
  @inline(__always) private func larger(_ a: Key, _ b: Key) -> Key { a < b ? b : a }

  @inline(__always)
  private func pair(_ row: UnsafePointer<Voxel>, _ index: Int) -> (low: Key, high: Key) {
    let (a, b) = Voxel.keys(row, index)
    return (smaller(a, b), larger(a, b))
  }

  /// Two sorted pairs as four sorted values.
  @inline(__always)
  private func sorted(
    _ a: (low: Key, high: Key), _ b: (low: Key, high: Key)
  ) -> (Key, Key, Key, Key) {
    let (low, high) = (larger(a.low, b.low), smaller(a.high, b.high))
    return (smaller(a.low, b.low), smaller(low, high), larger(low, high), larger(a.high, b.high))
  }
}

/// A list of rows that are sorted column by column: which row holds the lowest values, and so on.
///
/// Places at both ends may be cut off: nothing wanted depends on them, and no row holds them.
struct SortedRows: Sendable, Equatable {
  /// How many places are cut off at the low end.
  var cutLow: Int
  /// The rows of the places between.
  var rows: [Int]
  /// How many places are cut off at the high end.
  var cutHigh: Int

  /// How many places there are, with those cut off.
  var count: Int { cutLow + rows.count + cutHigh }

  /// The row of a place.
  ///
  /// - Precondition: The place is not cut off.
  subscript(place: Int) -> Int { rows[place - cutLow] }
}

/// Comparators on rows that sort all their columns at once.
///
/// Without branches, and with a whole row per step, minima and maxima run in vectors. The networks
/// are Batcher's odd-even mergesort; comparators that only feed places nobody wants are left out,
/// and of some only one half stays. Two rows more than those sorted are needed, because the results
/// of a comparator must lie apart from what it reads: only then does the compiler make vectors.
struct RowNetwork: Sendable {
  /// What a comparator finds.
  enum Kind: Sendable { case both, lower, higher }

  /// Finds the lower values of two rows, column by column, and the higher ones.
  struct Comparator: Sendable {
    let first: Int
    let second: Int
    var kind = Kind.both
    /// Where the lower values go, or the higher ones if only they are wanted.
    var target = 0
    /// Where the higher values go if both are wanted.
    var otherTarget = 0
  }

  /// The comparators in the order they run.
  let comparators: [Comparator]
  /// How many rows they need.
  let rowCount: Int
  /// Where the wanted places are afterwards.
  let result: SortedRows

  /// A network that sorts the rows from 0 on.
  init(sorting count: Int, wanted: ClosedRange<Int>) {
    var wires = Wires((0..<count).map(Wire.row))
    wires.sort(0, wires.values.count)
    self.init(wires, rowCount: count, count: count, wanted: wanted)
  }

  /// A network that merges two sorted lists; the second has its rows after those of the first.
  init(merging first: SortedRows, _ second: SortedRows, wanted: ClosedRange<Int>) {
    let half = powerOfTwo(atLeast: max(first.count, second.count))
    var next = 0
    func wires(_ list: SortedRows) -> [Wire] {
      defer { next += list.rows.count }
      return Array(repeating: .lowest, count: list.cutLow)
        + (0..<list.rows.count).map { .row(next + $0) }
        + Array(repeating: .highest, count: half - list.cutLow - list.rows.count)
    }
    var both = Wires(wires(first) + wires(second))
    both.merge(0, 2 * half, 1)
    let count = first.count + second.count
    self.init(both, rowCount: next, count: count, wanted: wanted)
  }

  /// Keeps what is needed of the comparators on some wires.
  private init(_ wires: Wires, rowCount: Int, count: Int, wanted: ClosedRange<Int>) {
    let places = wanted.map { place in
      guard case .row(let row) = wires.values[place] else {
        preconditionFailure("place \(place) of \(count) was cut off before")
      }
      return row
    }
    var needed = Self.needed(wires.comparators, for: places)
    let rows = Self.place(&needed, on: rowCount)
    comparators = needed
    result = SortedRows(
      cutLow: wanted.lowerBound, rows: places.map { rows[$0] },
      cutHigh: count - 1 - wanted.upperBound)
    self.rowCount = rowCount + 2
  }

  /// The comparators that some of these rows depend on.
  private static func needed(_ all: [Comparator], for rows: [Int]) -> [Comparator] {
    var live = Set(rows)
    var kept: [Comparator] = []
    for var comparator in all.reversed() {
      switch (live.contains(comparator.first), live.contains(comparator.second)) {
      case (false, false): continue
      case (true, true): break
      case (true, false): comparator.kind = .lower
      case (false, true): comparator.kind = .higher
      }
      live.insert(comparator.first)
      live.insert(comparator.second)
      kept.append(comparator)
    }
    return kept.reversed()
  }

  /// Gives every result a row that is free, where wires were rows before.
  ///
  /// - Returns: The row in which each wire ends.
  private static func place(_ comparators: inout [Comparator], on rowCount: Int) -> [Int] {
    var rows = Array(0..<rowCount)
    var free = (rowCount, rowCount + 1)
    comparators = comparators.map { wires in
      let (first, second) = (rows[wires.first], rows[wires.second])
      switch wires.kind {
      case .both:
        defer { free = (first, second) }
        (rows[wires.first], rows[wires.second]) = free
        return Comparator(
          first: first, second: second, target: free.0, otherTarget: free.1)
      case .lower, .higher:
        defer { free.0 = first }
        rows[wires.kind == .lower ? wires.first : wires.second] = free.0
        return Comparator(first: first, second: second, kind: wires.kind, target: free.0)
      }
    }
    return rows
  }
}

/// What runs along a wire of a network while it is made.
private enum Wire: Equatable {
  /// Something below all that is wanted.
  case lowest
  case row(Int)
  /// Something above all that is wanted.
  case highest
}

/// The wires of a network and the comparators met so far; as many wires as a power of two.
private struct Wires {
  var values: [Wire]
  var comparators: [RowNetwork.Comparator] = []

  init(_ values: [Wire]) {
    let count = powerOfTwo(atLeast: values.count)
    self.values = values + Array(repeating: .highest, count: count - values.count)
  }

  /// Sorts `count` wires from `start` on.
  mutating func sort(_ start: Int, _ count: Int) {
    guard count > 1 else { return }
    sort(start, count / 2)
    sort(start + count / 2, count / 2)
    merge(start, count, 1)
  }

  /// Merges the sorted halves of every `step`-th of `count` wires from `start` on.
  mutating func merge(_ start: Int, _ count: Int, _ step: Int) {
    guard step * 2 < count else { return compare(start, start + step) }
    merge(start, count, step * 2)
    merge(start + step, count, step * 2)
    for low in stride(from: start + step, to: start + count - step, by: step * 2) {
      compare(low, low + step)
    }
  }

  /// Puts the lower of two wires first; what is known beforehand needs no comparator.
  private mutating func compare(_ low: Int, _ high: Int) {
    switch (values[low], values[high]) {
    case (.lowest, _), (_, .highest): break
    case (.highest, _), (_, .lowest): values.swapAt(low, high)
    case (.row(let first), .row(let second)):
      comparators.append(RowNetwork.Comparator(first: first, second: second))
    }
  }
}

private func powerOfTwo(atLeast count: Int) -> Int {
  var power = 1
  while power < count { power *= 2 }
  return power
}

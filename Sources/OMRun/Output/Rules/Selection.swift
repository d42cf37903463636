/// Median and mode of the values of a window, by sorting them in place.
///
/// Values that have no order (NaN) or that are equal with different bits (zeros of either sign) end
/// where the steps of the sort leave them. tensorstore takes `std::nth_element` and `std::sort` of
/// GNU's C++ library; the steps here are the same ones (quicksort by the median of three as long as
/// more than 3 or 16 values are left, then insertion), and values are gathered in its order, so the
/// answers are the same bits. Where quicksort does badly, which takes large windows made for it, both
/// go another way, and only values of a plain order end the same.
enum Selection {
  /// Copies the values of a window, column by column; returns their number.
  static func gather<Voxel: OrderInWindow>(
    _ rows: FineRows<Voxel>, _ columns: Range<Int>, _ values: UnsafeMutablePointer<Voxel.Sorted>
  ) -> Int {
    var count = 0
    for x in columns {
      for row in rows {
        values[count] = row[x].sorted
        count += 1
      }
    }
    return count
  }

  /// The value in the middle, of two the lower.
  static func median<Value: Comparable>(
    _ values: UnsafeMutablePointer<Value>, count: Int
  ) -> Value {
    let middle = (count - 1) / 2
    var (first, end, cuts) = (0, count, mostCuts(count))
    while end - first > 3 {
      if cuts == 0 {
        sortPlainly(values, first, end)
        return values[middle]
      }
      cuts -= 1
      let cut = partition(values, first, end)
      if cut <= middle { first = cut } else { end = cut }
    }
    insert(values, first, end)
    return values[middle]
  }

  /// The value of the longest run of equal ones, of several the smallest.
  static func mode<Value: Comparable>(
    _ values: UnsafeMutablePointer<Value>, count: Int
  ) -> Value {
    sort(values, count)
    var (best, bestCount, run) = (0, 1, 1)
    for index in 1..<count {
      if values[index] == values[index - 1] {
        run += 1
        continue
      }
      if run > bestCount { (best, bestCount) = (index - 1, run) }
      run = 1
    }
    return values[run > bestCount ? count - 1 : best]
  }

  private static func sort<Value: Comparable>(_ values: UnsafeMutablePointer<Value>, _ count: Int) {
    split(values, 0, count, mostCuts(count))
    insert(values, 0, min(count, 16))
    for index in min(count, 16)..<count { sink(values, index, downTo: 0) }
  }

  /// How many times quicksort may cut before it is given up: twice as often as halving needs.
  private static func mostCuts(_ count: Int) -> Int {
    2 * (Int.bitWidth - 1 - max(1, count).leadingZeroBitCount)
  }

  /// Cuts values into groups of at most sixteen that belong one behind the other.
  private static func split<Value: Comparable>(
    _ values: UnsafeMutablePointer<Value>, _ first: Int, _ end: Int, _ cuts: Int
  ) {
    var (end, cuts) = (end, cuts)
    while end - first > 16 {
      if cuts == 0 {
        return sortPlainly(values, first, end)
      }
      cuts -= 1
      let cut = partition(values, first, end)
      split(values, cut, end, cuts)
      end = cut
    }
  }

  private static func sortPlainly<Value: Comparable>(
    _ values: UnsafeMutablePointer<Value>, _ first: Int, _ end: Int
  ) {
    var part = UnsafeMutableBufferPointer(start: values + first, count: end - first)
    part.sort()
  }

  /// Parts values by the median of the second, the middle and the last one, which comes first.
  ///
  /// - Returns: Where the values that are not smaller begin.
  private static func partition<Value: Comparable>(
    _ values: UnsafeMutablePointer<Value>, _ first: Int, _ end: Int
  ) -> Int {
    let pivotPlace = medianPlace(values, first + 1, first + (end - first) / 2, end - 1)
    swap(values, first, pivotPlace)
    let pivot = values[first]
    var (low, high) = (first + 1, end)
    while true {
      while values[low] < pivot { low += 1 }
      high -= 1
      while pivot < values[high] { high -= 1 }
      if low >= high { return low }
      swap(values, low, high)
      low += 1
    }
  }

  private static func medianPlace<Value: Comparable>(
    _ values: UnsafeMutablePointer<Value>, _ a: Int, _ b: Int, _ c: Int
  ) -> Int {
    if values[a] < values[b] {
      if values[b] < values[c] { return b }
      return values[a] < values[c] ? c : a
    }
    if values[a] < values[c] { return a }
    return values[b] < values[c] ? c : b
  }

  private static func insert<Value: Comparable>(
    _ values: UnsafeMutablePointer<Value>, _ first: Int, _ end: Int
  ) {
    for index in first..<end {
      let value = values[index]
      if value < values[first] {
        // Below all: no comparison with the others, among which may be NaN.
        for place in stride(from: index, to: first, by: -1) { values[place] = values[place - 1] }
        values[first] = value
      } else {
        sink(values, index, downTo: first)
      }
    }
  }

  private static func sink<Value: Comparable>(
    _ values: UnsafeMutablePointer<Value>, _ index: Int, downTo first: Int
  ) {
    let value = values[index]
    var place = index
    while place > first && value < values[place - 1] {
      values[place] = values[place - 1]
      place -= 1
    }
    values[place] = value
  }

  private static func swap<Value>(_ values: UnsafeMutablePointer<Value>, _ a: Int, _ b: Int) {
    (values[a], values[b]) = (values[b], values[a])
  }
}

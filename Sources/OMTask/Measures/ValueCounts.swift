/// How often each value occurs in each object and channel: the histograms that medians are read from.
///
/// A key holds the place of the object and the channel above, the value below. Keys are kept sorted
/// once they are merged; what was just found is a list with repetitions.
package struct ValueCounts: Sendable {
  /// The object times the number of channels, plus the channel, times 2^16, plus the value.
  package private(set) var keys: [UInt64] = []
  /// How often each occurs.
  package private(set) var counts: [UInt64] = []
  /// Keys that were found and not counted yet.
  private var found: [UInt64] = []

  /// No values.
  package init() {}

  /// Reads what `keys` and `counts` gave; nil when they do not fit together.
  package init?(keys: [UInt64], counts: [UInt64]) {
    guard keys.count == counts.count, zip(keys, keys.dropFirst()).allSatisfy({ $0 < $1 }) else {
      return nil
    }
    self.keys = keys
    self.counts = counts
  }

  /// The bytes of memory that it takes.
  var byteCount: Int { (keys.count * 2 + found.count) * 8 }

  /// As many found keys are counted at once.
  private static let batch = 1 << 20

  /// Adds the values of a run; `base` is the key of value 0.
  @inline(__always)
  mutating func add<Voxel: FixedWidthInteger>(
    _ voxels: UnsafePointer<Voxel>, _ count: Int, base: UInt64
  ) {
    for index in 0..<count {
      // Signed values in their own order.
      found.append(base | UInt64(Int64(truncatingIfNeeded: voxels[index]) - Int64(Voxel.min)))
    }
    if found.count >= Self.batch { settle() }
  }

  /// Counts what was found.
  package mutating func settle() {
    if found.isEmpty { return }
    found.sort()
    var newKeys: [UInt64] = []
    var newCounts: [UInt64] = []
    for key in found {
      if newKeys.last == key {
        newCounts[newCounts.count - 1] += 1
      } else {
        newKeys.append(key)
        newCounts.append(1)
      }
    }
    found.removeAll(keepingCapacity: true)
    merge(newKeys, newCounts)
  }

  /// Adds the counts of another list whose objects have other places here.
  mutating func merge(_ other: ValueCounts, _ places: [Int], channels: Int) {
    if other.keys.isEmpty { return }
    var moved: [(key: UInt64, count: UInt64)] = []
    moved.reserveCapacity(other.keys.count)
    for (key, count) in zip(other.keys, other.counts) {
      let (object, channel) = (Int(key >> 16) / channels, Int(key >> 16) % channels)
      let row = UInt64(places[object] * channels + channel)
      moved.append((row << 16 | key & 0xffff, count))
    }
    moved.sort { $0.key < $1.key }
    merge(moved.map(\.key), moved.map(\.count))
  }

  private mutating func merge(_ otherKeys: [UInt64], _ otherCounts: [UInt64]) {
    if keys.isEmpty { return (keys, counts) = (otherKeys, otherCounts) }
    var (mergedKeys, mergedCounts) = ([UInt64](), [UInt64]())
    mergedKeys.reserveCapacity(keys.count + otherKeys.count)
    mergedCounts.reserveCapacity(keys.count + otherKeys.count)
    var (mine, theirs) = (0, 0)
    while mine < keys.count || theirs < otherKeys.count {
      let left = mine < keys.count ? keys[mine] : .max
      let right = theirs < otherKeys.count ? otherKeys[theirs] : .max
      mergedKeys.append(min(left, right))
      mergedCounts.append(
        (left <= right ? counts[mine] : 0) + (right <= left ? otherCounts[theirs] : 0))
      if left <= right { mine += 1 }
      if right <= left { theirs += 1 }
    }
    (keys, counts) = (mergedKeys, mergedCounts)
  }

  /// The values of one object and channel with their counts, ascending.
  ///
  /// - Parameter row: The object times the number of channels, plus the channel.
  /// - Returns: The values and counts.
  func values(of row: Int) -> ArraySlice<(value: UInt16, count: UInt64)> {
    let low = firstIndex(UInt64(row) << 16)
    let high = firstIndex(UInt64(row + 1) << 16)
    return (low..<high).map { (UInt16(truncatingIfNeeded: keys[$0]), counts[$0]) }[...]
  }

  private func firstIndex(_ key: UInt64) -> Int {
    var (low, high) = (0, keys.count)
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

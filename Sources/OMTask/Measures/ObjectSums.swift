package import OMJSON

/// The sums of many objects: a partial that merges in any order to the same value.
///
/// An object is known by its number and its time point.
package struct ObjectSums: Sendable {
  /// Where the sums lie.
  package let layout: SumsLayout
  /// The number of each object.
  package private(set) var labels: [UInt64] = []
  /// Its time point; 0 when objects have one row for all of them.
  package private(set) var times: [UInt32] = []
  /// The sums, `layout.stride` words for each object.
  package private(set) var words: [UInt64] = []
  /// How often each value occurs, where that is asked for.
  package var counts = ValueCounts()
  /// How many regions were added.
  package var regions = 0

  /// Objects by their hash, as their place plus one; 0 is free.
  private var buckets: [UInt32] = [UInt32](repeating: 0, count: 64)
  private let empty: [UInt64]

  /// Makes sums of no objects.
  package init(_ layout: SumsLayout) {
    self.layout = layout
    empty = layout.empty
  }

  /// Reads the parts of what `labels`, `times` and `words` gave.
  ///
  /// - Throws: `internal` when they do not fit together.
  package init(
    _ layout: SumsLayout, labels: [UInt64], times: [UInt32], words: [UInt64]
  ) throws(Fault) {
    self.init(layout)
    guard labels.count == times.count, words.count == labels.count * layout.stride else {
      throw Fault(.internal, "", "bytes are not sums of objects of this version of omtask")
    }
    for object in labels.indices where slot(labels[object], times[object]) != object {
      throw Fault(.internal, "", "sums name an object twice")
    }
    self.words = words
  }

  /// How many objects there are.
  package var count: Int { labels.count }

  /// The bytes of memory that it takes.
  package var byteCount: Int {
    words.capacity * 8 + count * 12 + buckets.count * 4 + counts.byteCount
  }

  /// The place of an object, which is made where it is new.
  package mutating func slot(_ label: UInt64, _ time: UInt32) -> Int {
    let mask = buckets.count - 1
    var bucket = Self.hash(label, time) & mask
    while buckets[bucket] != 0 {
      let known = Int(buckets[bucket]) - 1
      if labels[known] == label && times[known] == time { return known }
      bucket = (bucket + 1) & mask
    }
    labels.append(label)
    times.append(time)
    words += empty
    buckets[bucket] = UInt32(labels.count)
    if labels.count * 2 > buckets.count { grow() }
    return labels.count - 1
  }

  private mutating func grow() {
    buckets = [UInt32](repeating: 0, count: buckets.count * 2)
    let mask = buckets.count - 1
    for object in labels.indices {
      var bucket = Self.hash(labels[object], times[object]) & mask
      while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
      buckets[bucket] = UInt32(object + 1)
    }
  }

  private static func hash(_ label: UInt64, _ time: UInt32) -> Int {
    let mixed = (label ^ UInt64(time) &<< 40) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed &>> 20)
  }

  /// Adds to a number of one word.
  @inline(__always)
  mutating func add(_ amount: Int, to place: Int, of slot: Int) {
    words[slot * layout.stride + place] &+= UInt64(bitPattern: Int64(amount))
  }

  /// Hands the words to a kernel, which adds to the objects it names.
  package mutating func withWords(_ body: (UnsafeMutablePointer<UInt64>) -> Void) {
    words.withUnsafeMutableBufferPointer { words in
      if let start = words.baseAddress { body(start) }
    }
  }

  /// Adds what others hold.
  ///
  /// - Precondition: The layouts are equal.
  package mutating func merge(_ other: ObjectSums) {
    precondition(other.layout == layout)
    regions += other.regions
    let places = other.labels.indices.map { slot(other.labels[$0], other.times[$0]) }
    counts.merge(other.counts, places, channels: max(1, layout.channels))
    let layout = layout
    withWords { words in
      other.words.withUnsafeBufferPointer { theirs in
        guard let theirs = theirs.baseAddress else { return }
        for (object, place) in places.enumerated() {
          Self.merge(theirs + object * layout.stride, into: words + place * layout.stride, layout)
        }
      }
    }
  }

  private static func merge(
    _ other: UnsafePointer<UInt64>, into words: UnsafeMutablePointer<UInt64>, _ layout: SumsLayout
  ) {
    words[SumsLayout.count] &+= other[SumsLayout.count]
    words[SumsLayout.border] &+= other[SumsLayout.border]
    for axis in 0..<4 {
      let (least, largest) = (SumsLayout.least + axis, SumsLayout.largest + axis)
      words[least] = min(words[least], other[least])
      words[largest] = max(words[largest], other[largest])
    }
    for place in stride(from: SumsLayout.coordinates, to: layout.single, by: 2) {
      WordSum.add(other + place, to: words + place, count: 2)
    }
    for place in layout.single..<layout.channelStart { words[place] &+= other[place] }
    for channel in 0..<layout.channels {
      let start = layout.channelStart + channel * layout.channelStride
      words[start] = min(words[start], other[start])
      words[start + 1] = max(words[start + 1], other[start + 1])
      for sum in layout.channelSums {
        WordSum.add(other + start + sum.place, to: words + start + sum.place, count: sum.count)
      }
    }
  }
}

extension SumsLayout {
  /// The sums of a channel.
  var channelSums: [Sum] {
    var sums = [value]
    if need.squares { sums.append(square) }
    if need.powers { sums += [cube, fourth] }
    if need.weighted {
      for axis in 0..<3 {
        sums.append(Sum(place: weighted.place + axis * weighted.count, count: weighted.count))
      }
    }
    return sums
  }
}

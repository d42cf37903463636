package import OMJSON

/// Where the inner chunks of one shard lie in it.
package struct ShardIndex: Sendable, Equatable {
  /// The offset and the length of each cell, or twice this number for a cell that is not stored.
  private var words: [UInt64]
  private static let absent = UInt64.max

  /// An index of which no cell is stored.
  package init(cellCount: Int) {
    words = Array(repeating: Self.absent, count: cellCount * 2)
  }

  /// The number of cells.
  package var cellCount: Int { words.count / 2 }

  /// Notes where a cell is stored.
  package mutating func store(_ cell: Int, offset: Int, byteCount: Int) {
    words[cell * 2] = UInt64(offset)
    words[cell * 2 + 1] = UInt64(byteCount)
  }

  /// The bytes of a cell in the shard, or nil when it is not stored and holds the fill value.
  ///
  /// - Parameters:
  ///   - cell: The C-order number of the inner chunk in the shard.
  ///   - content: The bytes of the shard that are not its index.
  /// - Returns: A range in the shard.
  /// - Throws: `codec` when the entry points outside the shard.
  package func range(of cell: Int, in content: Range<Int>) throws(Fault) -> Range<Int>? {
    let (offset, count) = (words[cell * 2], words[cell * 2 + 1])
    if offset == Self.absent, count == Self.absent { return nil }
    if let range = Self.range(offset, count, in: content) { return range }
    throw Fault(
      .codec, "",
      "inner chunk \(cell) lies at byte \(offset) with \(count) bytes; inner chunks of this shard"
        + " lie in bytes \(content.lowerBound) to \(content.upperBound)")
  }

  private static func range(
    _ offset: UInt64, _ count: UInt64, in content: Range<Int>
  ) -> Range<Int>? {
    guard count > 0, let start = Int(exactly: offset), let length = Int(exactly: count) else {
      return nil
    }
    let (end, isOverflow) = start.addingReportingOverflow(length)
    guard !isOverflow, start >= content.lowerBound, end <= content.upperBound else { return nil }
    return start..<end
  }

  /// Whether at least half of the entries could be true.
  func isPlausible(in content: Range<Int>) -> Bool {
    let good = (0..<cellCount).count { cell in
      let (offset, count) = (words[cell * 2], words[cell * 2 + 1])
      return offset == Self.absent && count == Self.absent
        || Self.range(offset, count, in: content) != nil
    }
    return good * 2 >= cellCount
  }
}

extension ShardIndex {
  /// Takes the entries from stored words.
  mutating func fill(from encoded: UnsafeRawBufferPointer, _ byteOrder: ByteOrder) {
    for index in words.indices {
      let word = encoded.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
      words[index] = byteOrder.isForeign ? word.byteSwapped : word
    }
  }

  /// Appends the entries, little-endian.
  func write(onto output: ByteBuffer) {
    let room = output.room(for: words.count * 8)
    for (number, word) in words.enumerated() {
      room.storeBytes(of: word.littleEndian, toByteOffset: number * 8, as: UInt64.self)
    }
    output.use(words.count * 8)
  }
}

import OMGrid

/// The mask of one block with one bit per voxel; each row of voxels starts at a new word.
///
/// The buffer is kept between blocks, so that a worker touches fresh memory only once.
package final class BitRows {
  private(set) var words: UnsafeMutablePointer<UInt64>
  private var capacity: Int
  /// Words of one row.
  private(set) var wordsPerRow = 0
  /// The number of rows.
  private(set) var rowCount = 0

  /// Makes an empty mask.
  package init() {
    capacity = 1
    words = .allocate(capacity: capacity)
  }

  deinit { words.deallocate() }

  /// Bytes that a mask of this shape needs.
  package static func byteCount(rows: Int, length: Int) -> Int { rows * ((length + 63) / 64) * 8 }

  /// Makes room for `rows` rows of `length` voxels, all background.
  package func clear(rows: Int, length: Int) {
    wordsPerRow = (length + 63) / 64
    rowCount = rows
    let needed = max(1, wordsPerRow * rows)
    if needed > capacity {
      words.deallocate()
      words = .allocate(capacity: needed)
      capacity = needed
    }
    words.update(repeating: 0, count: needed)
  }

  /// Adds mask bytes (0 or 1) to one row.
  ///
  /// - Parameters:
  ///   - mask: `count` bytes.
  ///   - count: How many voxels.
  ///   - row: The row.
  ///   - x: Where in the row they begin.
  package func insert(_ mask: UnsafePointer<UInt8>, count: Int, row: Int, x: Int) {
    let line = words + row * wordsPerRow
    var index = 0
    var place = x
    while index < count {
      let bits = min(64, count - index)
      let word = packed(mask + index, bits)
      if word != 0 {
        let shift = UInt64(place & 63)
        line[place >> 6] |= word << shift
        if shift != 0 && Int(shift) + bits > 64 { line[(place >> 6) + 1] |= word >> (64 - shift) }
      }
      index += bits
      place += bits
    }
  }

  /// Sets one run of voxels of a row.
  package func fill(row: Int, from start: Int, to end: Int) {
    let line = words + row * wordsPerRow
    var x = start
    while x < end {
      let bits = min(64 - (x & 63), end - x)
      let ones = bits == 64 ? UInt64.max : (UInt64(1) << UInt64(bits)) - 1
      line[x >> 6] |= ones << UInt64(x & 63)
      x += bits
    }
  }

  /// Up to 64 mask bytes as bits, the first in the lowest.
  @inline(__always)
  private func packed(_ mask: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    var word: UInt64 = 0
    var index = 0
    let raw = UnsafeRawPointer(mask)
    while index + 8 <= count {
      let eight = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      // The product gathers the lowest bit of byte i in bit 56 + i; no two terms meet.
      if eight != 0 { word |= ((eight &* 0x0102_0408_1020_4080) >> 56) << UInt64(index) }
      index += 8
    }
    while index < count {
      word |= UInt64(mask[index]) << UInt64(index)
      index += 1
    }
    return word
  }
}

import TestSupport
import Testing

@testable import OMObjects

@Suite struct BitRowsTests {
  /// Lengths around the edges of words.
  static let lengths = [1, 7, 8, 9, 63, 64, 65, 127, 128, 130, 200]

  @Test(arguments: lengths)
  func `bytes come out as bits wherever the row begins`(length: Int) {
    for x in [0, 1, 7, 8, 31, 33, 62, 63, 64, 65, 127] {
      let rows = BitRows()
      rows.clear(rows: 3, length: x + length + 5)
      let mask = random(length, seed: UInt64(x))
      insert(mask, rows, row: 1, x: x)
      #expect(bits(rows, 1, x + length + 5) == zeros(x) + mask + zeros(5), "from \(x)")
      #expect(bits(rows, 0, x + length + 5).allSatisfy { $0 == 0 }, "from \(x)")
      #expect(bits(rows, 2, x + length + 5).allSatisfy { $0 == 0 }, "from \(x)")
    }
  }

  @Test(arguments: 0..<64)
  func `a row put together from pieces is the whole row`(shift: Int) {
    let mask = random(217, seed: UInt64(shift) + 100)
    let rows = BitRows()
    rows.clear(rows: 2, length: mask.count)
    var x = 0
    for piece in [shift, 64, 1, 63, mask.count] {
      let end = min(mask.count, x + piece)
      insert(Array(mask[x..<end]), rows, row: 1, x: x)
      x = end
    }
    #expect(bits(rows, 1, mask.count) == mask)
    #expect(bits(rows, 0, mask.count).allSatisfy { $0 == 0 })
  }

  @Test(arguments: [(0, 0), (0, 64), (3, 4), (60, 70), (63, 65), (64, 128), (1, 190), (5, 64)])
  func `a run is filled and nothing else`(start: Int, end: Int) {
    let rows = BitRows()
    rows.clear(rows: 2, length: 200)
    rows.fill(row: 1, from: start, to: end)
    #expect(bits(rows, 1, 200) == (0..<200).map { start..<end ~= $0 ? 1 : 0 })
    #expect(bits(rows, 0, 200).allSatisfy { $0 == 0 })
  }

  @Test func `a mask that is used again begins empty`() {
    let rows = BitRows()
    for (count, length) in [(4, 300), (2, 64), (5, 129), (1, 1), (40, 300)] {
      rows.clear(rows: count, length: length)
      #expect(rows.wordsPerRow == (length + 63) / 64)
      #expect(BitRows.byteCount(rows: count, length: length) == count * rows.wordsPerRow * 8)
      for row in 0..<count {
        #expect(bits(rows, row, length).allSatisfy { $0 == 0 })
        rows.fill(row: row, from: 0, to: length)
      }
    }
  }

  private func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }

  private func random(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SplitMix(seed: seed)
    return (0..<count).map { _ in UInt8(generator.next() % 2) }
  }

  private func insert(_ mask: [UInt8], _ rows: BitRows, row: Int, x: Int) {
    mask.withUnsafeBufferPointer {
      if let base = $0.baseAddress { rows.insert(base, count: mask.count, row: row, x: x) }
    }
  }

  private func bits(_ rows: BitRows, _ row: Int, _ length: Int) -> [UInt8] {
    (0..<length).map {
      UInt8(rows.words[row * rows.wordsPerRow + $0 / 64] >> UInt64($0 % 64) & 1)
    }
  }
}

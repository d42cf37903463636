import OMObjects
import TestSupport
import Testing

@Suite struct RowNumberingTests {
  @Test(arguments: 1...40)
  func `numbers are those of sorting`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let rowCount = Int.random(in: 1...30, using: &random)
    var blocks: [BlockRowCounts] = []
    // Blocks side by side along x; every place holds rows of its own once.
    for place in 0..<Int.random(in: 0...6, using: &random) {
      let rows = (0..<rowCount).filter { _ in Bool.random(using: &random) }
      blocks.append(
        BlockRowCounts(
          place: place,
          rows: rows.map {
            RowCount(row: UInt32($0), count: UInt32.random(in: 0...5, using: &random))
          }))
    }
    blocks.shuffle(using: &random)
    var objects: [(row: UInt32, place: Int, index: UInt32)] = []
    for block in blocks {
      for entry in block.rows {
        for index in 0..<entry.count { objects.append((entry.row, block.place, index)) }
      }
    }
    objects.sort { ($0.row, $0.place, $0.index) < ($1.row, $1.place, $1.index) }
    let numbered = numberRows(blocks, rowCount: rowCount)
    #expect(numbered.total == UInt64(objects.count))
    for (block, starts) in zip(blocks, numbered.starts) {
      #expect(starts.count == block.rows.count)
      for (entry, start) in zip(block.rows, starts) where entry.count > 0 {
        let first = objects.firstIndex { $0.row == entry.row && $0.place == block.place }
        #expect(first == Int(start), "row \(entry.row), place \(block.place)")
      }
    }
  }

  @Test func `counts beyond 32 bits add up`() {
    let blocks = (0..<3).map {
      BlockRowCounts(place: $0, rows: [RowCount(row: 0, count: .max), RowCount(row: 1, count: 7)])
    }
    let numbered = numberRows(blocks, rowCount: 2)
    let most = UInt64(UInt32.max)
    #expect(numbered.total == 3 * most + 21)
    #expect(numbered.starts == [[0, 3 * most], [most, 3 * most + 7], [2 * most, 3 * most + 14]])
  }
}

import OMGrid
import OMJSON
import OMManifest
import OMTask
import Testing

@Suite struct PartialTableTests {
  private func rows(
    _ place: Int, time: Int = 0, _ columns: [TableColumn.Values]
  ) -> FoundRows {
    FoundRows(time: time, origin: Vector3(place, 0, 0), columns: columns)
  }

  private func table(
    _ traits: PartialTraits, _ parts: [FoundRows], hasTime: Bool = false
  ) throws -> Table {
    var all = PartialTable(traits)
    for part in parts { try all.add([part]) }
    #expect(all.pieces == parts.count)
    return try all.table(hasTime: hasTime)
  }

  @Test func `rows come in the order of places, however they were added`() throws {
    let traits = PartialTraits(.table, columns: [.init("a", .int64), .init("b", .bool)])
    let parts = [3, 1, 2].map { rows($0, [.int64([Int64($0), 9]), .bool([true, false])]) }
    let made = try table(traits, parts)
    #expect(made.columns.map(\.name) == ["a", "b"])
    #expect(made.columns[0].values == .int64([1, 9, 2, 9, 3, 9]))
    #expect(try table(traits, parts.reversed()) == made)
  }

  @Test func `rows are sorted by columns after time, missing numbers last`() throws {
    let traits = PartialTraits(
      .table, columns: [.init("s", .string), .init("f", .float64, isNullable: true)],
      sortBy: ["f", "s"])
    let parts = [
      rows(0, time: 1, [.string(["é", "z"]), .float64([.nan, -1])]),
      rows(1, time: 0, [.string(["b", "a", "c"]), .float64([2, 2, -.pi])]),
    ]
    let made = try table(traits, parts, hasTime: true)
    #expect(made.columns[0] == TableColumn("time_index", .int64([0, 0, 0, 1, 1])))
    #expect(made.columns[1].values == .string(["c", "a", "b", "z", "é"]))
  }

  @Test func `the label names the rows`() throws {
    let traits = PartialTraits(
      .table, columns: [.init("a", .int64), .init("label", .int64)], label: "cells")
    let made = try table(traits, [rows(0, [.int64([5]), .int64([7])])], hasTime: true)
    #expect(made.columns.map(\.name) == ["label", "time_index", "a"])
  }

  @Test func `sums are exact in any order`() throws {
    let traits = PartialTraits(.sum, columns: [.init("n", .int64), .init("x", .float64)])
    let values: [(Int64, Double)] = [(.max, 1e300), (.max, 1), (.min, -1e300), (1 - .max, 0.5)]
    let parts = values.enumerated().map { rows($0, [.int64([$1.0]), .float64([$1.1])]) }
    let made = try table(traits, parts)
    #expect(made.columns.map(\.values) == [.int64([0]), .float64([1.5])])
    #expect(try table(traits, parts.reversed()) == made)
    let fault = try #require(throws: Fault.self) { try table(traits, Array(parts.prefix(2))) }
    #expect(fault.kind == .limit && fault.message.contains("18446744073709551614"))
  }

  @Test func `bins are sorted, and counts of one bin are added`() throws {
    let traits = PartialTraits(.histogram, columns: [.init("bin", .float64)])
    let parts = [
      rows(0, [.float64([2, -1.5, -0.0, 2]), .int64([1, 2, 3, 4])]),
      rows(1, [.float64([0, -3]), .int64([5, 6])]),
    ]
    let made = try table(traits, parts)
    #expect(made.columns.map(\.name) == ["bin", "count"])
    #expect(made.columns[0].values == .float64([-3, -1.5, 0, 2]))
    #expect(made.columns[1].values == .int64([6, 2, 8, 5]))
    let most = rows(2, [.float64([2]), .int64([.max])])
    #expect(throws: Fault.self) { try table(traits, parts + [most]) }
  }

  @Test func `texts are one bin only when their bytes are the same`() throws {
    let traits = PartialTraits(.histogram, columns: [.init("bin", .string)])
    let found = rows(0, [.string(["\u{e9}", "e\u{301}", "\u{e9}"]), .int64([1, 1, 1])])
    #expect(try table(traits, [found]).columns[1].values == .int64([1, 2]))
  }

  @Test func `memory grows with rows, and with new bins only`() throws {
    var all = PartialTable(PartialTraits(.table, columns: [.init("a", .int64)]))
    try all.add(rows(0, [.int64(Array(repeating: 1, count: 1000))]))
    #expect(all.byteCount >= 8000 && all.rowCount == 1000)
    var bins = PartialTable(PartialTraits(.histogram, columns: [.init("a", .int64)]))
    for _ in 0..<9 { try bins.add(rows(0, [.int64([1, 2]), .int64([1, 1])])) }
    #expect(bins.rowCount == 2 && bins.byteCount < 200)
  }
}

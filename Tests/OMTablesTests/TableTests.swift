import OMImage
import OMJSON
import OMStore
import OMTask
import Testing

@testable import OMTables

@Suite struct TableTests {
  static let ways = TableBackend.allCases.flatMap { backend in
    [OMEVersion.v0_4, .v0_5].map { (backend, $0) }
  }

  @Test(arguments: ways)
  func `a table is read as it was written`(backend: TableBackend, version: OMEVersion) throws {
    let found = try #require(try reread(sample, backend, version))
    #expect(found.columns.map(\.name) == sample.columns.map(\.name))
    for (is_, ought) in zip(found.columns, sample.columns) { #expect(is_ == ought) }
  }

  @Test(arguments: ways)
  func `a table without rows keeps its columns`(backend: TableBackend, version: OMEVersion) throws {
    let empty = Table([
      TableColumn("label", .int64([])), TableColumn("area", .int64([])),
      TableColumn("mean", .float64([])),
    ])
    let found = try #require(try reread(empty, backend, version))
    #expect(found.columns.map(\.name) == ["label", "area", "mean"])
    #expect(found.rowCount == 0)
  }

  @Test(arguments: ways)
  func `numbers that are not finite come back`(backend: TableBackend, version: OMEVersion) throws {
    let table = Table([
      TableColumn("label", .int64([1, 2, 3])),
      TableColumn("x", .float64([.nan, .infinity, 1.25])),
    ])
    let found = try #require(try reread(table, backend, version))
    guard case .float64(let values) = found.columns[1].values else {
      return #expect(Bool(false), "no numbers")
    }
    #expect(values[0].isNaN && values[1] == .infinity && values[2] == 1.25)
  }

  @Test func `many rows fill several chunks`() throws {
    let numbers = (0..<150_001).map { Int64($0) }
    let table = Table([
      TableColumn("label", .int64(numbers)), TableColumn("x", .float64(numbers.map(Double.init))),
    ])
    let files = try stored(table, .anndata, .v0_5)
    #expect(files.keys.filter { $0.hasPrefix("tables/t/X/c/") }.count == 3)
    #expect(try reader(of: files).read("t") == table)
  }

  @Test(arguments: [OMEVersion.v0_4, .v0_5])
  func `an index of numbers without a sign says that it is texts`(version: OMEVersion) throws {
    let (widest, wider) = (UInt64(Int64.max), UInt64(Int64.max) + 1)
    for (names, type) in [([1, widest], "int"), ([1, wider], "str")] {
      let table = Table([TableColumn("label", .uint64(names)), TableColumn("n", .int64([1, 2]))])
      let files = try stored(table, .anndata, version)
      let document = try #require(files["tables/t/zarr.json"] ?? files["tables/t/.zattrs"])
      let attributes = try JSON(parsing: document, subject: "t")
      let found = attributes["attributes"]?["index_type"] ?? attributes["index_type"]
      #expect(found?.stringValue == type)
    }
  }

  @Test func `an index that readers of CSV cannot keep is refused`() throws {
    let names = [7, UInt64(Int64.max) + 2, .max]
    let table = Table([TableColumn("label", .uint64(names)), TableColumn("n", .int64([1, 2, 3]))])
    let fault = #expect(throws: Fault.self) { try stored(table, .csv, .v0_5) }
    #expect(fault?.kind == .unsupported)
    #expect(fault?.message.contains("9223372036854775809") == true)
    #expect(try stored(table, .json, .v0_5).isEmpty == false)
  }

  @Test func `a quote with a mark on it is a quote`() {
    #expect(CSVText.field("a\"\u{301}b") == "\"a\"\"\u{301}b\"")
    #expect(CSVText.field("\r\n") == "\"\r\n\"")
    #expect(CSVText.field(" \u{301}x") == "\" \u{301}x\"")
  }

  @Test func `a table that is not there is nil`() throws {
    #expect(try reader(of: [:]).read("t") == nil)
  }

  @Test func `a back end that is not known is named`() throws {
    let group = #"{"zarr_format": 3, "node_type": "group", "attributes": {"backend": "parquet"}}"#
    let fault = #expect(throws: Fault.self) {
      try reader(of: ["tables/t/zarr.json": Array(group.utf8)]).read("t")
    }
    #expect(fault?.kind == .unsupported)
    #expect(fault?.message.contains("parquet") == true)
  }

  @Test func `an encoding that is not known is named`() throws {
    var files = try stored(sample, .anndata, .v0_5)
    let key = "tables/t/obs/zarr.json"
    let text = String(decoding: files[key] ?? [], as: UTF8.self)
    files[key] = Array(text.replacing("\"dataframe\"", with: "\"awkward-array\"").utf8)
    let fault = #expect(throws: Fault.self) { try reader(of: files).read("t") }
    #expect(fault?.kind == .unsupported)
    #expect(fault?.message.contains("awkward-array") == true)
  }

  @Test(arguments: ["tables/t/obs/name/c/0", "tables/t/obs/label/c/0", "tables/t/X/c/0/0"])
  func `a chunk that is cut off is a fault that names it`(key: String) throws {
    var files = try stored(sample, .anndata, .v0_5)
    let bytes = try #require(files[key])
    files[key] = Array(bytes.dropLast(bytes.count / 2))
    let fault = #expect(throws: Fault.self) { try reader(of: files).read("t") }
    #expect(fault?.subject.hasSuffix(key) == true)
  }
}

@Suite struct CSVTests {
  private func columns(_ text: String) throws(Fault) -> [TableColumn] {
    try CSVReader.columns(Array(text.utf8), subject: "table.csv")
  }

  @Test func `types are the narrowest that hold a column`() throws {
    let found = try columns(
      "a,b,c,d,e\r\n1,18446744073709551615,1.5,true,x\r\n-2,1,,False,\"y,\"\"z\"\"\"\r\n")
    #expect(found[0].values == .int64([1, -2]))
    #expect(found[1].values == .uint64([.max, 1]))
    #expect(found[3].values == .bool([true, false]))
    #expect(found[4].values == .string(["x", "y,\"z\""]))
    guard case .float64(let numbers) = found[2].values else {
      return #expect(Bool(false), "no numbers")
    }
    #expect(numbers[0] == 1.5 && numbers[1].isNaN)
  }

  @Test(arguments: ["", "a,b\n1\n", "a\n\"open\n"])
  func `what is no table is refused`(text: String) {
    #expect(throws: Fault.self) { try columns(text) }
  }

  @Test(arguments: ["plain", "with,comma", "with \"quotes\"", "two\nlines", " blank ", ""])
  func `texts survive`(text: String) throws {
    let table = Table([TableColumn("a", .int64([1])), TableColumn("b", .string([text]))])
    let found = try CSVReader.columns(CSVText(table).bytes, subject: "")
    #expect(found[1].values == .string([text]))
  }
}

import OMJSON
import OMManifest
import OMTask
import Testing

@testable import OMExternal

@Suite struct PartialReaderTests {
  private let columns: [PartialTraits.Column] = [
    .init("n", .int64), .init("x", .float64), .init("m", .float64, isNullable: true),
    .init("s", .string), .init("b", .bool),
  ]

  private func read(
    _ partial: String, _ traits: PartialTraits
  ) throws -> [TableColumn.Values] {
    let text = #"{"region": 1, "partial": \#(partial)}"#
    let answer = try JSON(parsing: Array(text.utf8), subject: "", lenient: true)
    return try PartialReader(traits, program: "p").columns(of: answer)
  }

  @Test func `columns are read in the order in which they are declared`() throws {
    let found = try read(
      #"{"b": [true, false], "m": [null, NaN], "s": ["a", ""], "n": [-9223372036854775808, 7], "x": [1, 2.5e3]}"#,
      PartialTraits(.table, columns: columns))
    #expect(found[0] == .int64([.min, 7]) && found[1] == .float64([1, 2500]))
    guard case .float64(let missing) = found[2] else { throw Fault(.internal, "", "no numbers") }
    let areMissing = missing.allSatisfy { $0.isNaN }
    #expect(areMissing)
    #expect(found[3] == .string(["a", ""]) && found[4] == .bool([true, false]))
  }

  @Test(arguments: [
    (#"{"n": [1.0]}"#, "answered 1.0 in row 0 of column `n`"), (#"{"n": [true]}"#, "answered true"),
    (#"{"n": ["1"]}"#, "whole numbers"), (#"{"n": [9223372036854775808]}"#, "whole numbers"),
    (#"{"n": {"a": 1}}"#, "expected a list"), ("{}", "no column `n`"), ("[]", "`partial` []"),
    (#"{"n": [1], "k": [1]}"#, "a column `k`"), ("null", "`partial` null"),
  ])
  func `what is not declared is refused`(partial: String, words: String) throws {
    let traits = PartialTraits(.table, columns: [.init("n", .int64)])
    let fault = try #require(throws: Fault.self) { try read(partial, traits) }
    #expect(fault.kind == .program && fault.message.contains(words), "\(fault.message)")
    #expect(fault.message.contains("`p`"))
  }

  @Test(arguments: ["NaN", "Infinity", "1e999", "null", #""1""#, "true", "[1]"])
  func `a sum takes finite numbers`(value: String) {
    let traits = PartialTraits(.sum, columns: [.init("x", .float64)])
    #expect(throws: Fault.self) { try read(#"{"x": \#(value)}"#, traits) }
  }

  @Test func `a histogram has counts of its own`() throws {
    let traits = PartialTraits(.histogram, columns: [.init("bin", .string)])
    let found = try read(#"{"bin": ["a"], "count": [3]}"#, traits)
    #expect(found == [.string(["a"]), .int64([3])])
    #expect(throws: Fault.self) { try read(#"{"bin": ["a"], "count": [-3]}"#, traits) }
    #expect(throws: Fault.self) { try read(#"{"bin": ["a"], "count": []}"#, traits) }
  }
}

import OMJSON
import Testing

@Suite struct JSONPlacesTests {
  private static let text = """
    {"name": "ä", "list": [1,
      {"a/b": true}, []],
     "x~y": {"deep": [[-1.5e3]]}}
    """

  @Test(arguments: [
    ([], 1, 1, 1, 1), (["name"], 1, 2, 1, 10), (["list"], 1, 15, 1, 23),
    (["list", "0"], 1, 24, 1, 24),
    (["list", "1"], 2, 3, 2, 3), (["list", "1", "a/b"], 2, 4, 2, 11),
    (["list", "2"], 2, 18, 2, 18),
    (["x~y"], 3, 2, 3, 9), (["x~y", "deep", "0", "0"], 3, 20, 3, 20),
  ])
  func `keys and values are found where they begin`(
    steps: [String], keyLine: Int, keyColumn: Int, line: Int, column: Int
  ) throws {
    let places = try JSONPlaces(Array(Self.text.utf8), subject: "a.json")
    let pointer = steps.reduce(JSONPointer()) { $0.appending($1) }
    #expect(places.place(of: pointer) == TextPlace(line: line, column: column))
    #expect(
      places.place(of: pointer, atKey: true) == TextPlace(line: keyLine, column: keyColumn))
  }

  @Test func `what is not there is looked for in what should hold it`() throws {
    let places = try JSONPlaces(Array(Self.text.utf8), subject: "a.json")
    let pointer = JSONPointer().appending("list").appending("1").appending("no").appending("0")
    #expect(places.place(of: pointer) == TextPlace(line: 2, column: 3))
  }

  @Test(arguments: ["{\"a\": }", "[1", "", "{\"a\" 1}", "[1}"])
  func `what is no document is refused`(text: String) {
    #expect(throws: Fault.self) { try JSONPlaces(Array(text.utf8), subject: "a.json") }
  }

  @Test func `a pointer is written as RFC 6901 wants it`() {
    let pointer = JSONPointer().appending("a/b").appending("0").appending("m~n")
    #expect("\(pointer)" == "/a~1b/0/m~0n")
    #expect("\(JSONPointer())".isEmpty)
    #expect(pointer.isWithin(JSONPointer().appending("a/b")))
    #expect(!JSONPointer().isWithin(pointer))
  }

  @Test func `the place of a mistake is taken from the message`() throws {
    let fault = try #require(throws: Fault.self) {
      try JSON(parsing: Array("{\n \"a\": x}".utf8), subject: "a.json")
    }
    let located = try #require(fault.located)
    #expect(located.place == TextPlace(line: 2, column: 7))
    #expect(located.message == "`x` where a value is expected")
    #expect(Fault(.io, "a.json", "cannot be read").located == nil)
  }
}

import OMJSON
import Testing

@Suite struct JSONParserTests {
  @Test(arguments: [
    "null", "true", "[]", "{}", "0", "-0", "12345678901234567890", "1.50", "1E+2",
    #"{"b":1,"a":[true,false,null],"":{}}"#, #""é😀""#,
  ])
  func `a document comes out as it went in`(text: String) throws {
    #expect(try parse(text).text() == text)
  }

  @Test(arguments: [
    (#""\u0041\u00e9""#, "Aé"), (#""\ud83d\uDE00""#, "😀"),
    (#""a\"\\\/\n\t\r\b\f""#, "a\"\\/\n\t\r\u{8}\u{c}"),
    (#""\u0000b""#, "\0b"),
  ])
  func `escapes become the characters they stand for`(text: String, value: String) throws {
    #expect(try parse(text).stringValue == value)
  }

  @Test func `space around every token is skipped`() throws {
    #expect(try parse(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n") == ["a": [1, 2]])
  }

  @Test(arguments: [
    ("[1,2", "the end of the document where `,` or `]` is expected (line 1, column 5)"),
    ("{\"a\":1,\n \"a\":2}", "the key `a` appears twice (line 2, column 2)"),
    ("[01]", "`1` where `,` or `]` is expected (line 1, column 3)"),
    ("[1.]", "`]` where a digit is expected (line 1, column 4)"),
    ("[-]", "`]` where a digit is expected (line 1, column 3)"),
    ("[1,]", "`]` where a value is expected (line 1, column 4)"),
    ("{\"a\" 1}", "`1` where `:` is expected (line 1, column 6)"),
    ("{a:1}", "`a` where a key in double quotes is expected (line 1, column 2)"),
    ("1 2", "`2` where the end of the document is expected (line 1, column 3)"),
    ("\"a\nb\"", "byte 0x0A where the rest of a string is expected (line 1, column 3)"),
    ("\"\\q\"", "`q` where an escape that JSON knows is expected (line 1, column 3)"),
    ("\"\\u12g4\"", "`g` where four hexadecimal digits is expected (line 1, column 6)"),
    ("{\"é\": x}", "`x` where a value is expected (line 1, column 7)"),
    ("[1e999]", "the number `1e999` does not fit a 64-bit float (line 1, column 2)"),
  ])
  func `what is wrong is named with line and column`(text: String, message: String) {
    expectFault(.json, message) { () throws(Fault) in try parse(text) }
  }

  @Test(arguments: [#""\ud83d""#, #""\ud83dx""#, #""\ude00""#, #""\ud83d\u0041""#])
  func `half of a surrogate pair is refused`(text: String) {
    expectFault(.json, "an escape that is half of a surrogate pair (line 1, column 2)") {
      () throws(Fault) in try parse(text)
    }
  }

  @Test(arguments: [3, 16, 17, 400])
  func `a key that appears twice is refused however many there are`(count: Int) {
    func document(_ last: String) -> String {
      let keys = (0..<count).map { "k\($0)" } + [last]
      return "{" + keys.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    }
    #expect(throws: Never.self) { try parse(document("other")) }
    #expect(throws: Fault.self) { try parse(document("k\(count / 2)")) }
  }

  @Test func `numbers are refused only when they overflow`() throws {
    let long = "1" + String(repeating: "0", count: 308)
    #expect(try parse(long).doubleValue == 1e308)
    #expect(throws: Fault.self) { try parse(long + "0") }
    #expect(try parse("1e-999").doubleValue == 0)
  }
}

@Suite struct JSONLimitTests {
  @Test func `64 levels are read and 65 are not`() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(try parse(nested(64)).text() == nested(64))
    expectFault(.limit, "nested more than 64 levels deep (line 1, column 65)") {
      () throws(Fault) in try parse(nested(65))
    }
  }

  @Test func `200000 open brackets do not exhaust the stack`() {
    let text = String(repeating: "{\"a\":", count: 200_000)
    expectFault(.limit, "nested more than 64 levels deep (line 1, column 321)") {
      () throws(Fault) in try parse(text)
    }
  }

  @Test func `a document above 16 MiB is refused before it is read`() {
    let bytes = [UInt8](repeating: UInt8(ascii: " "), count: JSON.maximumBytes + 1)
    expectFault(.limit, "the document has 16777217 bytes, the limit is 16777216") {
      () throws(Fault) in try JSON(parsing: bytes, subject: "zarr.json")
    }
  }

  @Test func `an empty document is said to be empty`() {
    expectFault(.json, "the document is empty (0 bytes)") { () throws(Fault) in try parse("") }
  }

  @Test func `a byte order mark is refused by its name`() {
    expectFault(.json, "the document begins with a byte order mark (EF BB BF), JSON allows none") {
      () throws(Fault) in try parse("\u{FEFF}{}")
    }
  }

  @Test(
    arguments: [
      ([0x22, 0x61, 0xE9, 0x22], "byte 0xE9 is not UTF-8 (line 1, column 3)"),
      ([0x0A, 0x22, 0xC0, 0x80, 0x22], "byte 0xC0 is not UTF-8 (line 2, column 2)"),
      ([0x22, 0xED, 0xA0, 0x80, 0x22], "byte 0xED is not UTF-8 (line 1, column 2)"),
    ] as [([UInt8], String)])
  func `bytes that are not UTF-8 are refused`(bytes: [UInt8], message: String) {
    expectFault(.json, message) { () throws(Fault) in try JSON(parsing: bytes, subject: "zarr.json")
    }
  }
}

@Suite struct NonFiniteTests {
  static let tokens = ["NaN", "Infinity", "-Infinity"]

  @Test(arguments: tokens)
  func `tokens of Python are kept below attributes`(token: String) throws {
    let text = "{\"attributes\":{\"gain\":[\(token)]}}"
    #expect(try parse(text).text() == text)
  }

  @Test(arguments: tokens)
  func `tokens of Python are refused elsewhere, also after attributes`(token: String) {
    #expect(throws: Fault.self) { try parse("{\"fill_value\":\(token)}") }
    #expect(throws: Fault.self) { try parse("{\"attributes\":{},\"fill_value\":\(token)}") }
  }

  @Test(arguments: tokens)
  func `a lenient reader takes tokens of Python everywhere`(token: String) throws {
    let value = try JSON(parsing: Array(token.utf8), subject: ".zattrs", lenient: true)
    #expect(value == .number(token))
    #expect(value.doubleValue?.isFinite == false)
  }
}

import OMJSON
import Testing

@Suite struct JSONTests {
  @Test(arguments: [
    ("3", 3, 3), ("-7", -7, -7), ("3.0", nil, 3), ("3e2", nil, 300), ("3.5", nil, nil),
    ("9223372036854775807", Int.max, Int.max), ("9223372036854775808", nil, nil),
    ("9007199254740993.0", nil, nil), ("\"3\"", nil, nil),
  ])
  func `whole numbers are exact or nil`(text: String, exact: Int?, integral: Int?) throws {
    let value = try parse(text)
    #expect(value.intValue == exact)
    #expect(value.intValue(integral: true) == integral)
    #expect(value.intValue(integral: false) == exact)
  }

  @Test func `numbers of 64 bits without sign are exact`() throws {
    #expect(try parse("18446744073709551615").uint64Value == .max)
    #expect(try parse("-1").uint64Value == nil)
  }

  @Test func `each accessor answers for its own kind only`() {
    let values: [JSON] = [.null, true, 1, "a", [1], ["a": 1]]
    #expect(values.map { $0.boolValue != nil } == [false, true, false, false, false, false])
    #expect(values.map { $0.doubleValue != nil } == [false, false, true, false, false, false])
    #expect(values.map { $0.stringValue != nil } == [false, false, false, true, false, false])
    #expect(values.map { $0.arrayValue != nil } == [false, false, false, false, true, false])
    #expect(values.map { $0.objectValue != nil } == [false, false, false, false, false, true])
    #expect(
      values.map(\.kindName) == [
        "null", "a truth value", "a number", "a string", "a list", "an object",
      ])
  }

  @Test(arguments: [
    (0.5, "0.5"), (1, "1.0"), (.nan, "\"NaN\""), (.infinity, "\"Infinity\""),
    (-.infinity, "\"-Infinity\""), (0.1 + 0.2, "0.30000000000000004"),
  ])
  func `numbers of ours are written exactly, or as the strings of Zarr`(
    value: Double, text: String
  ) {
    #expect(JSON(value).text() == text)
  }
}

@Suite struct JSONObjectTests {
  @Test func `a member that is set keeps its place`() {
    var object: JSONObject = ["a": 1, "b": 2, "c": 3]
    object["b"] = "new"
    object["d"] = 4
    object["a"] = nil
    object["absent"] = nil
    #expect(JSON.object(object).text() == #"{"b":"new","c":3,"d":4}"#)
  }

  @Test func `objects are equal only in the same order`() {
    #expect(["a": 1, "b": 2] as JSON == ["a": 1, "b": 2])
    #expect(["a": 1, "b": 2] as JSON != ["b": 2, "a": 1])
    #expect(["a": 1] as JSON != ["a": 2])
    #expect(["a": 1] as JSON != ["a": 1, "b": 2])
  }

  @Test func `members are read in their shape`() throws {
    let object: JSONObject = [
      "shape": [2, 3], "scale": [0.5, 1], "names": ["y", "x"], "name": "a", "flag": true,
      "count": 3, "levels": [["path": "0"]], "free": .null,
    ]
    #expect(try object.required("shape", .integers, in: "d") == [2, 3])
    #expect(try object.required("scale", .numbers, in: "d") == [0.5, 1])
    #expect(try object.required("names", .strings, in: "d") == ["y", "x"])
    #expect(try object.required("levels", .objects, in: "d") == [["path": "0"]])
    #expect(try object.required("flag", .bool, in: "d"))
    #expect(try object.optional("count", .integer, in: "d") == 3)
    #expect(try object.optional("name", .string, in: "d") == "a")
    #expect(try object.optional("free", .object, in: "d") == nil)
    #expect(try object.optional("absent", .array, in: "d") == nil)
  }

  @Test func `a member of another shape is shown beside what was expected`() {
    let object: JSONObject = ["shape": ["64", 1]]
    expectFault(.metadata, #"`shape` is ["64",1], expected a list of whole numbers"#) {
      () throws(Fault) in try object.required("shape", .integers, in: "zarr.json")
    }
    expectFault(.metadata, #"`shape` is ["64",1], expected an object"#) {
      () throws(Fault) in try object.optional("shape", .object, in: "zarr.json")
    }
    expectFault(.metadata, "`path` is missing, expected a string") {
      () throws(Fault) in try object.required("path", .string, in: "zarr.json")
    }
  }

  @Test func `long values are cut in messages`() {
    #expect(JSON.array(Array(repeating: 1, count: 17)).excerpt == "a list of 17")
    #expect((["a": 1, "b": 2, "c": 3, "d": 4, "e": 5] as JSON).excerpt == "an object of 5 members")
    #expect(JSON.string(String(repeating: "x", count: 200)).excerpt.count == 80)
  }
}

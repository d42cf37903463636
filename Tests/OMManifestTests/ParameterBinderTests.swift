import OMJSON
import OMManifest
import Testing

@Suite struct ParameterBinderTests {
  private func bind(
    _ commandLine: [ParameterBinder.CommandLineValue] = [], json: JSONObject = ["sigma": 1]
  ) throws -> Parameters {
    try Examples.binder().bind(commandLine: commandLine, arguments: json)
  }

  @Test func `the command line wins over the args JSON, which wins over the default`() throws {
    let json: JSONObject = ["sigma": 2, "passes": 3]
    let parameters = try bind([("sigma", "4")], json: json)
    #expect(parameters.values["sigma"] == 4)
    #expect(parameters.values["passes"] == 3)
    #expect(parameters.values["mode"] == "reflect")
    #expect(parameters.values["suffix"] == .null)
    #expect(parameters.given == ["sigma", "passes"])
  }

  @Test func `null in the args JSON is the same as absent`() throws {
    let parameters = try bind(json: ["sigma": 1, "passes": .null, "channel": .null, "most": .null])
    #expect(parameters.values["passes"] == 1)
    #expect(parameters.given == ["sigma"])
  }

  @Test func `what a form gives without being asked was not chosen`() throws {
    let json: JSONObject = ["sigma": 1, "passes": "1", "mode": "reflect", "overwrite": true]
    let parameters = try bind([("mode", "reflect")], json: json)
    #expect(parameters.given == ["sigma", "passes", "mode", "overwrite"])
    #expect(parameters.chosen == ["sigma", "mode", "overwrite"])
  }

  @Test func `what a task settles counts where nothing was given`() throws {
    let parameters = try bind([("suffix", "mine")]).settled(["suffix": "theirs", "most": 3])
    #expect(parameters.resultValues["suffix"] == "mine" && parameters.resultValues["most"] == 3)
    #expect(parameters.values["most"] == .null)
  }

  private static let lenient: [(String, JSON, JSON)] = [
    ("sigma", "500.0", 500), ("sigma", .number("5e2"), 500), ("sigma", .number("0.10"), 0.1),
    ("passes", "3", 3), ("passes", .number("3.0"), 3), ("overwrite", "True", true),
    ("channel", "DAPI", ["DAPI"]), ("channel", 0, ["0"]), ("channel", ["a", 1], ["a", "1"]),
    ("channel", [], .null), ("planes", ["1", 2], [1, 2]), ("suffix", 7, "7"),
    ("planes", "2, 1,1 ", [2, 1, 1]), ("channel", "DAPI, my GFP", ["DAPI", "my GFP"]),
    ("channel", ["a,b"], ["a,b"]), ("planes", "", .null), ("passes", "", 1), ("suffix", "", .null),
    ("mode", "", "reflect"), ("overwrite", "", false),
    ("sigma", .number("18446744073709551615"), .number("18446744073709551615")),
  ]

  @Test(arguments: lenient)
  func `types are read leniently where there is no doubt`(
    name: String, given: JSON, kept: JSON
  ) throws {
    var json: JSONObject = ["sigma": 1]
    json[name] = given
    #expect(try bind(json: json).values[name] == kept)
  }

  @Test(arguments: ["", ",", ",,"])
  func `a list without elements on the command line is refused`(text: String) throws {
    let fault = try #require(throws: Fault.self) { try bind([("planes", text)]) }
    #expect(fault.kind == .usage)
    #expect(fault.message.contains("`--planes` stands without a value"), "\(fault)")
  }

  private static let wrong: [(String, JSON, String, String)] = [
    ("sigma", "abc", "`abc`", "a number"), ("sigma", -1.5, "`-1.5`", "0 or more"),
    ("sigma", "nan", "`nan`", "a number"), ("sigma", "0x10", "`0x10`", "a number"),
    ("sigma", .number("1e400"), "`1e400`", "a number"), ("passes", 1.5, "`1.5`", "an integer"),
    ("passes", 9, "`9`", "1 to 8"), ("mode", "reflct", "`reflct`", "reflect, nearest"),
    ("overwrite", 1, "`1`", "true or false"), ("suffix", ["a"], #"`["a"]`"#, "a text"),
    ("planes", ["x"], "`x`", "a list of integers"), ("channel", true, "`true`", "a list of texts"),
    ("planes", "1,,2", "``", "a list of integers"),
  ]

  @Test(arguments: wrong)
  func `a wrong value is named together with what is allowed`(
    name: String, given: JSON, shown: String, allowed: String
  ) throws {
    var json: JSONObject = ["sigma": 1]
    json[name] = given
    let fault = try #require(throws: Fault.self) { try bind(json: json) }
    #expect(fault.kind == .usage)
    #expect(fault.message.contains("`\(name)`") && fault.message.contains(shown))
    #expect(fault.message.contains(allowed))
  }

  @Test func `a mistyped choice names the nearest one`() throws {
    let fault = try #require(throws: Fault.self) { try bind([("mode", "reflct")]) }
    #expect(fault.hint == "did you mean `reflect`?")
    #expect(fault.message.contains("`--mode`"))
  }

  @Test func `an unknown key names the nearest known one`() throws {
    let json = try #require(throws: Fault.self) { try bind(json: ["sigam": 1]) }
    #expect(json.kind == .usage && json.message == "gaussian-blur has no parameter `sigam`")
    #expect(json.hint?.hasPrefix("did you mean `sigma`?") == true)
    let flag = try #require(throws: Fault.self) { try bind([("over-write", nil)]) }
    #expect(flag.hint?.hasPrefix("did you mean `--overwrite`?") == true)
    let strange = try #require(throws: Fault.self) { try bind([("zzzz", "1")]) }
    #expect(strange.hint == "`omtask tasks show gaussian-blur` lists all parameters")
  }

  @Test func `a required parameter that is not given is named`() throws {
    let fault = try #require(throws: Fault.self) { try bind(json: [:]) }
    #expect(fault.kind == .usage && fault.message.contains("`sigma`"))
  }

  @Test func `a boolean may stand alone, with a value, or be negated`() throws {
    #expect(try bind([("overwrite", nil)]).values["overwrite"] == true)
    #expect(try bind([("overwrite", "false")]).values["overwrite"] == false)
    let json: JSONObject = ["sigma": 1, "overwrite": true]
    #expect(try bind([("no-overwrite", nil)], json: json).values["overwrite"] == false)
    #expect(throws: Fault.self) { try bind([("no-overwrite", "x")]) }
    #expect(throws: Fault.self) { try bind([("no-sigma", nil)]) }
    #expect(throws: Fault.self) { try bind([("sigma", nil)]) }
  }

  @Test func `a list is separated by commas or repeated`() throws {
    let values = try bind([("channel", "DAPI,GFP"), ("channel", "RFP"), ("planes", "1,2")]).values
    #expect(values["channel"] == ["DAPI", "GFP", "RFP"])
    #expect(values["planes"] == [1, 2])
    #expect(throws: Fault.self) { try bind([("mode", "reflect"), ("mode", "nearest")]) }
  }

  @Test func `what only steers the run is not part of the result's values`() throws {
    let parameters = try bind([("overwrite", nil)], json: ["sigma": 1, "zarr_url": "/data/a.zarr"])
    #expect(parameters.resultValues["overwrite"] == nil)
    #expect(parameters.reserved["zarr_url"] == "/data/a.zarr")
    #expect(parameters.values["zarr_url"] == nil)
    #expect(!parameters.given.contains("zarr_url"))
  }

  @Test func `typed getters give the values and refuse other types`() throws {
    let parameters = try bind([("channel", "a,b"), ("suffix", "s")], json: ["sigma": 1.5])
    #expect(try parameters.required("sigma") as Double == 1.5)
    #expect(try parameters.required("passes") as Int == 1)
    #expect(try parameters.optional("channel") == ["a", "b"])
    #expect(try parameters.optional("most") as Double? == nil)
    let fault = #expect(throws: Fault.self) { try parameters.required("suffix") as Int }
    #expect(fault?.kind == .internal)
    #expect(throws: Fault.self) { try parameters.required("absent") as Int }
  }
}

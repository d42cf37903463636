import OMJSON
import Testing

@testable import OMManifest

@Suite struct FractalListTests {
  private static let text = #"""
    {"manifest_version": "2", "task_list": [
      {"name": "Project Image (HCS Plate)", "type": "compound",
       "executable_parallel": "a.py", "executable_non_parallel": "b.py",
       "args_schema_parallel": {"type": "object", "properties": {
         "zarr_url": {"type": "string"}, "init_args": {"$ref": "#/$defs/I"},
         "level": {"type": "integer"}}},
       "args_schema_non_parallel": {"type": "object", "properties": {
         "zarr_urls": {"type": "array", "items": {"type": "string"}}, "zarr_dir": {"type": "string"},
         "level": {"type": "integer"}, "method": {"type": "string"}}}},
      {"name": "Threshold", "executable_parallel": "t.py", "meta_parallel": {"mem": "4G"},
       "docs_info": "### Purpose\n- Finds **cells**.\n- And more",
       "args_schema_parallel": {"type": "object", "required": ["zarr_url", "channel"],
         "$defs": {"C": {"type": "object", "required": ["label"],
           "properties": {"label": {"type": "string"}}}},
         "properties": {"zarr_url": {"type": "string"}, "channel": {"$ref": "#/$defs/C"},
           "sigma": {"type": "number", "exclusiveMinimum": 0}, "count": {"type": "integer"},
           "overwrite": {"type": "boolean", "default": true}}}},
      {"name": "Free", "executable_parallel": "f.py"}
    ]}
    """#

  private func list() throws -> FractalList {
    try FractalList(try JSON(parsing: Array(Self.text.utf8), subject: "f"), subject: "f.json")
  }

  @Test func `names of any kind become words of a call`() throws {
    let names = try list().entries.map(\.identifier)
    #expect(names == ["project-image-hcs-plate", "threshold", "free"])
    #expect(try list().entry("Project Image (HCS Plate)").identifier == names[0])
  }

  @Test(arguments: [(nil, "there are 3 tasks"), ("treshold", "no task named `treshold`")])
  func `a task that is not named is asked for`(name: String?, says: String) throws {
    let list = try list()
    #expect {
      _ = try list.entry(name)
    } throws: { ($0 as? Fault)?.kind == .usage && "\($0)".contains(says) }
  }

  @Test func `a task is read as it is`() throws {
    let list = try list()
    let manifest = try list.manifest(try list.entry("threshold"))
    #expect(manifest.type == "parallel" && manifest.isRunnable && manifest.isForeign)
    #expect(manifest.traits.contract == .image && manifest.traits.exactness == nil)
    #expect(manifest.traits.summary == "Finds cells")
    #expect(manifest.traits.runOnly == ["overwrite"])
    #expect(manifest.processMemory(.each) == 4_000_000_000 && !manifest.isWhole)
    let types = manifest.parameters.userDeclarations.map(\.type)
    #expect(types == [.json, .json, .integer, .boolean])
  }

  @Test func `the parts of a compound task share their parameters`() throws {
    let list = try list()
    let manifest = try list.manifest(try list.entry("project-image-hcs-plate"))
    #expect(manifest.isRunnable && manifest.isWhole && manifest.takesImages)
    #expect(manifest.parameters.userDeclarations.map(\.name) == ["level", "method"])
    #expect(manifest.hands("level", to: .whole) && manifest.hands("level", to: .each))
    #expect(manifest.hands("method", to: .whole) && !manifest.hands("method", to: .each))
    #expect(manifest.traits.groups.map(\.parameters) == [["method"], ["level"]])
  }

  @Test(arguments: [
    (#"{"channel": {"label": "A"}, "sigma": 2.5}"#, nil),
    (#"{"channel": {}}"#, "`label` is missing"), (#"{"channel": "A"}"#, "the type is object"),
    (#"{"channel": {"label": "A"}, "sigma": 0}"#, "exclusive or more"),
    (#"{"channel": {"label": "A"}, "chanel": 1}"#, "`chanel`"), ("{}", "needs `channel`"),
  ])
  func `values are compared with the schema`(arguments: String, says: String?) throws {
    let list = try list()
    let binder = ParameterBinder(try list.manifest(try list.entry("threshold")))
    let given = try #require(
      try JSON(parsing: Array(arguments.utf8), subject: "a").objectValue)
    guard let says else {
      let bound = try binder.bind(arguments: given)
      #expect(bound.values["sigma"] == 2.5 && bound.given == ["channel", "sigma"])
      return
    }
    #expect {
      _ = try binder.bind(arguments: given)
    } throws: { ($0 as? Fault)?.kind == .usage && "\($0)".contains(says) }
  }

  @Test func `a word of a command line is read as JSON where that fits`() throws {
    let list = try list()
    let binder = ParameterBinder(try list.manifest(try list.entry("threshold")))
    let bound = try binder.bind(commandLine: [("channel", #"{"label": "1"}"#), ("sigma", "3")])
    #expect(bound.values["channel"] == ["label": "1"] && bound.values["sigma"] == 3)
  }

  @Test func `without a schema anything is handed on`() throws {
    let list = try list()
    let binder = ParameterBinder(try list.manifest(try list.entry("free")))
    let bound = try binder.bind(arguments: ["x": [1, "a"], "y": .null])
    #expect(bound.values == ["x": [1, "a"]] && bound.given == ["x"])
  }
}

import OMJSON
import OMManifest
import Testing

@testable import OMCommands

@Suite struct HelpTests {
  /// The pages of `docs/cli/help` with the calls that print them.
  static let pages: [(name: String, words: [String])] = [
    ("omtask", ["--help"]), ("run", ["run", "--help"]), ("plan", ["plan", "--help"]),
    ("tasks", ["tasks", "--help"]), ("info", ["info", "--help"]),
    ("preview", ["preview", "--help"]), ("cat", ["cat", "--help"]),
    ("verify", ["verify", "--help"]), ("validate", ["validate", "--help"]),
    ("manifest", ["manifest", "--help"]),
    ("manifest-check", ["manifest", "check", "--help"]),
    ("manifest-test", ["manifest", "test", "--help"]),
    ("manifest-new", ["manifest", "new", "--help"]),
    ("manifest-export", ["manifest", "export", "--help"]),
    ("runs", ["runs", "--help"]), ("clean", ["clean", "--help"]),
    ("pack", ["pack", "--help"]), ("unpack", ["unpack", "--help"]),
    ("finalize", ["finalize", "--help"]),
    ("export", ["export", "--help"]), ("doctor", ["doctor", "--help"]),
    ("bench", ["bench", "--help"]), ("bench-model", ["bench", "model", "--help"]),
    ("bench-layouts", ["bench", "layouts", "--help"]),
    ("run-threshold", ["run", "threshold", "--help"]),
    ("preview-threshold", ["preview", "threshold", "--help"]),
    ("run-convert", ["run", "convert", "--help"]),
    ("run-gaussian-blur", ["run", "gaussian-blur", "--help"]),
    ("run-label-objects", ["run", "label-objects", "--help"]),
    ("table", ["table", "--help"]), ("run-measure", ["run", "measure", "--help"]),
    ("run-masking-roi-table", ["run", "masking-roi-table", "--help"]),
    ("run-median", ["run", "median", "--help"]), ("run-project", ["run", "project", "--help"]),
    ("run-filter-labels", ["run", "filter-labels", "--help"]),
    ("run-pyramid", ["run", "pyramid", "--help"]),
    ("run-illumination-correct", ["run", "illumination-correct", "--help"]),
  ]

  @Test(arguments: pages.indices)
  func `help is what the docs show`(page: Int) throws {
    let (name, words) = Self.pages[page]
    let path = projectFolder + "/docs/cli/help/\(name).txt"
    let shown = try printed(words)
    if Environment.ofThisProcess()["OMTASK_WRITE_HELP"] == "1" {
      try ResultFile(path: path, flag: "help").write(Array(shown.utf8))
    }
    let documented = String(decoding: try readFile(path), as: UTF8.self)
    #expect(
      shown == documented, "OMTASK_WRITE_HELP=1 swift test --filter HelpTests writes docs/cli/help")
  }

  @Test(arguments: pages.indices)
  func `no line of help is wider than eighty characters but for the examples`(page: Int) throws {
    let help = try printed(Self.pages[page].words)
    let lines = help.split(separator: "\n").prefix { $0 != "Examples" }
    #expect(lines.filter { $0.count > 80 }.isEmpty)
  }

  @Test func `the help of a task shows every parameter with unit, range, default and choices`()
    throws
  {
    let help = try printed(["run", "threshold", "--help"]).replacing(/\n +/) { _ in " " }
    for parameter in try thresholdManifest().parameters.userDeclarations {
      #expect(help.contains("--\(parameter.flag) "))
    }
    #expect(help.contains("--min-size <voxels>"))
    #expect(help.contains("Allowed: 0 or more."))
    #expect(help.contains("One of faces, edges, full. Default: full."))
    #expect(help.contains("`--no-objects` turns it off"))
  }

  @Test func `no parameter of a task has the name of a flag`() throws {
    let flags = try CommandDescription.ofProgram().subcommand("run")?.flags ?? []
    let parameters = try thresholdManifest().parameters.userDeclarations.map(\.flag)
    #expect(flags.count > 15)
    #expect(Set(flags).intersection(parameters).isEmpty)
  }

  @Test(arguments: [
    (["--help"], HelpRequest.program), (["-h"], .program), (["help"], .program),
    (["help", "info"], .command("info")), (["info", "--help"], .command("info")),
    (["run", "threshold", "a.zarr", "--min-size", "--help"], .task("threshold", of: "run")),
    (["plan", "-h", "threshold"], .task("threshold", of: "plan")),
    (["finalize", "threshold", "-h"], .task("threshold", of: "finalize")),
    (["manifest", "test", "x", "--help"], .subcommand("test", of: "manifest")),
    (["help", "manifest", "new"], .subcommand("new", of: "manifest")),
    (["manifest", "--help"], .command("manifest")),
    (["run", "--help"], .command("run")), (["run", "--threads", "2", "-h"], .command("run")),
  ])
  func `help is found in calls that are wrong or not complete`(
    words: [String], request: HelpRequest
  ) {
    #expect(HelpRequest(words) == request)
  }

  @Test(arguments: [[], ["info", "a.zarr"], ["run", "threshold", "--", "--help"]])
  func `no help is shown where none is asked for`(words: [String]) {
    #expect(HelpRequest(words) == nil)
  }

  @Test func `text is wrapped at words and keeps its line breaks`() {
    #expect(wrapped("one two three\nfour", width: 8) == ["one two", "three", "four"])
    #expect(wrapped("unbreakable", width: 4) == ["unbreakable"])
    #expect(wrapped("", width: 4) == [""])
  }

  private func printed(_ words: [String]) throws -> String {
    let output = MemorySink()
    let context = CommandContext(
      catalogue: try realCatalogue(), environment: Environment([:]), output: output,
      console: Console(MemorySink(), style: LogStyle()))
    #expect(OMTaskProgram.run(words, context) == 0)
    return output.text
  }
}

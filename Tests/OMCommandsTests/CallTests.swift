import OMJSON
import OMManifest
import OMRun
import Testing

@testable import OMCommands

/// A call that is wrong, and what is said about it.
struct WrongCall: Sendable, CustomTestStringConvertible {
  let words: String
  let code: Int32
  let message: String
  var hint: String?

  var testDescription: String { words }

  init(_ words: String, _ code: Int32, _ message: String, hint: String? = nil) {
    self.words = words
    self.code = code
    self.message = message
    self.hint = hint
  }

  static let all = [
    WrongCall("ran x", 64, "no command named `ran`", hint: "did you mean `omtask run`?"),
    WrongCall(
      "threshold a.zarr", 64, "no command named `threshold`",
      hint: "did you mean `omtask run threshold`?"),
    WrongCall("--foo", 64, "unknown option `--foo`", hint: "`omtask --help` shows all flags"),
    WrongCall("run", 64, "`omtask run` is given no task", hint: "`omtask tasks` lists all"),
    WrongCall("run treshold a", 64, "no task named `treshold`", hint: "did you mean `threshold`?"),
    WrongCall("run threshold", 64, "threshold is given no image", hint: "IMAGE.zarr"),
    WrongCall(
      "run --min-size 5 threshold a", 64, "`--min-size` stands before the task",
      hint: "the task comes first"),
    WrongCall(
      "run threshold a --thresold 4", 64, "threshold has no parameter or flag `--thresold`",
      hint: "did you mean `--threshold`?"),
    WrongCall(
      "run threshold a --min-size -5", 64,
      "`--min-size` is `-5`, the manifest of threshold allows 0 or more"),
    WrongCall(
      "run threshold a --method otsuu", 64,
      "`--method` is `otsuu`, the manifest of threshold allows fixed, otsu, li, triangle, yen, "
        + "isodata, mean, minimum", hint: "did you mean `otsu`?"),
    WrongCall(
      "run threshold a --threads two", 64, "the value `two` is invalid for `--threads <n|auto>`",
      hint: "`omtask run --help`"),
    WrongCall("run threshold a --threads", 64, "missing value for `--threads <n|auto>`"),
    WrongCall(
      "run threshold a --fail-fast=3", 64,
      "the option `--fail-fast` does not take any value, but `3` was specified"),
    WrongCall(
      "run threshold a --on-damage skip", 64,
      "the value `skip` is invalid for `--on-damage <stop|fill>`",
      hint: "please provide one of `stop` and `fill`;"),
    WrongCall(
      "run threshold a --select t=9:3", 64, "`--select t=9:3` selects nothing: 3 is not above 9"),
    WrongCall(
      "run threshold a --select c=DAPI", 64, "`--select c=DAPI` is no range of indices",
      hint: "by name with the task's `--channel`"),
    WrongCall(
      "run threshold a --wells B", 64,
      "`--wells` is `B`, expected a row and a column as in `B/03` or `C/*`"),
    WrongCall(
      "run threshold --args-json - --inputs -", 64,
      "`--args-json -` and `--inputs -` both read standard input"),
    WrongCall(
      "run threshold --args-json /no/such", 66, "/no/such: there is no such file"),
    WrongCall(
      "run threshold a --report /no/such/r.json", 66, "/no/such: no such file or directory"),
    WrongCall("run threshold a --out-json /tmp/", 64, "`--out-json` is given `/tmp/`"),
    WrongCall(
      "run threshold a --part auto", 64,
      "--part: `auto` takes the part from a job array, and this is none",
      hint: "sbatch --array"),
    WrongCall("finalize threshold", 64, "threshold is given no image"),
    WrongCall("finalize threshold a --part 0/2", 64, "threshold has no parameter or flag `--part`"),
    WrongCall("finalize threshold a --fresh", 64, "threshold has no parameter or flag `--fresh`"),
    WrongCall("plan threshold a --ranks 0", 64, "`--ranks` is 0, it must be 1 to 1000000"),
    WrongCall("tasks shw", 64, "unexpected argument `shw`", hint: "`omtask tasks --help`"),
    WrongCall("tasks show treshold", 64, "no task named `treshold`"),
    WrongCall("info", 64, "missing expected argument `<uri>`"),
    WrongCall("info a b c", 64, "2 unexpected arguments: `b`, `c`"),
    WrongCall("info a --jsn", 64, "unknown option `--jsn`", hint: "did you mean `--json`?"),
    WrongCall("info /no/such", 66, "/no/such: no such file or directory"),
    WrongCall(
      "info gs://bucket/a.zarr", 76,
      "gs://bucket/a.zarr: only local paths, `http(s)://` and `s3://` can be read"),
    WrongCall("preview a --png a.png --width 3", 64, "`--width` is 3, it must be 16 to 20000"),
    WrongCall("help nothing", 64, "no command named `nothing`"),
  ]
}

@Suite struct CallTests {
  @Test(arguments: WrongCall.all)
  func `a wrong call says what is wrong in the last line`(wrong: WrongCall) throws {
    let output = MemorySink()
    let messages = MemorySink()
    let context = CommandContext(
      catalogue: try realCatalogue(), environment: Environment([:]), output: output,
      console: Console(messages, style: LogStyle()))
    let code = OMTaskProgram.run(wrong.words.split(separator: " ").map(String.init), context)
    let lines = messages.text.split(separator: "\n")
    #expect(code == wrong.code)
    #expect(output.bytes.isEmpty)
    #expect(lines.last?.contains("]: " + wrong.message) == true, "\(messages.text)")
    if let hint = wrong.hint {
      #expect(lines.first?.hasPrefix("omtask: hint: ") == true)
      #expect(lines.first?.contains(hint) == true, "\(messages.text)")
    }
  }

  @Test func `the version is one line`() throws {
    let result = try call("--version")
    #expect(result.code == 0)
    #expect(result.text == programVersion + "\n")
  }

  @Test func `without a word the program shows its help`() throws {
    #expect(try call().text == call("--help").text)
  }

  @Test func `tasks are listed for people and for programs`() throws {
    #expect(try call("tasks").text.contains("\nthreshold  "))
    let json = try JSON(parsing: call("tasks", "--json").output, subject: "tasks")
    #expect(json.arrayValue?.compactMap { $0["task"]?.stringValue }.contains("threshold") == true)
  }

  @Test func `a task is shown with its class, parameters and documentation`() throws {
    let text = try call("tasks", "show", "threshold").text
    #expect(text.contains("Class E: equal to the reference library bit for bit"))
    #expect(text.contains("--connectivity <choice>"))
    #expect(text.contains("### Limitations"))
    let json = try JSON(
      parsing: call("tasks", "show", "threshold", "--json").output, subject: "task")
    #expect(json["name"] == "Threshold")
  }

  @Test func `in Fractal errors have Fractal's form`() throws {
    let result = try call("run", "threshold", environment: ["FRACTAL_CACHE_DIR": "/x"])
    let last = try #require(result.messages.last)
    #expect(last.hasSuffix("; omtask; ERROR; error[usage]: threshold is given no image"))
  }

  @Test func `a list of images may have empty lines and remarks`() throws {
    let folder = TemporaryFolder()
    folder.write("list", Array("# plates\n\n  /no/a.zarr \n".utf8))
    let flags = ["run", "threshold", "--inputs", folder.path + "/list", "--dry-run"]
    let request = try readRequest(flags)
    #expect(request.inputs == ["/no/a.zarr"])
  }

  @Test func `the command line wins over the args JSON, which wins over the manifest`() throws {
    let folder = TemporaryFolder()
    let text = """
      {"zarr_url": "/no/b.zarr", "min_size": "7", "max_size": 9, "method": null, "overwrite": true}
      """
    folder.write("args.json", Array(text.utf8))
    let path = folder.path + "/args.json"
    let request = try readRequest(["run", "threshold", "--args-json", path, "--max-size", "11"])
    #expect(request.inputs == ["/no/b.zarr"])
    #expect(request.parameters.values["min_size"] == 7)
    #expect(request.parameters.values["max_size"] == 11)
    #expect(request.parameters.values["connectivity"] == "full")
    #expect(request.parameters.values["method"] == .null)
    #expect(request.options.overwrite)
    let other = try readRequest(["run", "threshold", "c.zarr", "c.zarr", "--args-json", path])
    #expect(other.inputs == ["c.zarr"])
  }

  @Test func `parameters and lists may be piped in`() throws {
    let arguments = try readRequest(
      ["run", "threshold", "--args-json", "-"],
      standardInput: #"{"zarr_url": "/no/b.zarr", "min_size": 7}"#)
    #expect(arguments.inputs == ["/no/b.zarr"])
    #expect(arguments.parameters.values["min_size"] == 7)
    let list = try readRequest(
      ["run", "threshold", "a.zarr", "--inputs", "-", "--input", "c.zarr"],
      standardInput: "b.zarr\n")
    #expect(list.inputs == ["a.zarr", "c.zarr", "b.zarr"])
  }
}

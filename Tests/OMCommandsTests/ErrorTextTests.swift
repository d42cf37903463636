import OMJSON
import Testing

@testable import OMCommands

@Suite struct ErrorTextTests {
  private let damaged = Fault(
    .checksum, "img.zarr/0/c/0", "the checksum is 0x5fe0, expected 0x91c4",
    facts: ["read 65540 bytes"], hint: "`--on-damage fill` goes on")

  @Test func `a terminal shows the error, its facts, a blank line and the way out`() {
    #expect(
      TerminalStyle(colour: false).error(damaged) == [
        "error: img.zarr/0/c/0: the checksum is 0x5fe0, expected 0x91c4", "  read 65540 bytes", "",
        "hint: `--on-damage fill` goes on",
      ])
  }

  @Test func `a log has the hint first and the cause in the last line`() {
    #expect(
      LogStyle().error(damaged) == [
        "omtask: hint: `--on-damage fill` goes on", "omtask: note: read 65540 bytes",
        "omtask: error[checksum]: img.zarr/0/c/0: the checksum is 0x5fe0, expected 0x91c4",
      ])
  }

  @Test func `an error without subject, facts and hint is one line`() {
    let fault = Fault(.usage, "", "`sigma` is -1")
    #expect(TerminalStyle(colour: false).error(fault) == ["error: `sigma` is -1"])
    #expect(LogStyle().error(fault) == ["omtask: error[usage]: `sigma` is -1"])
  }

  @Test func `colour adds nothing but colour`() {
    let plain = TerminalStyle(colour: false).error(damaged)
    let coloured = TerminalStyle(colour: true).error(damaged)
    #expect(coloured[0].hasPrefix("\u{1B}[1;31merror:\u{1B}[0m"))
    let codes = ["\u{1B}[1;31m", "\u{1B}[1;36m", "\u{1B}[0m"]
    let stripped = coloured.map { line in
      codes.reduce(line) { text, code in text.replacing(code, with: "") }
    }
    #expect(stripped == plain)
  }

  @Test(arguments: [
    (true, [:], true), (false, [:], false), (true, ["NO_COLOR": "1"], false),
    (true, ["NO_COLOR": ""], true), (true, ["TERM": "dumb"], false),
  ])
  func `colour needs a terminal and no objection`(
    isTerminal: Bool, environment: [String: String], expected: Bool
  ) {
    #expect(usesColour(MemorySink(isTerminal: isTerminal), Environment(environment)) == expected)
  }

  @Test func `a file name cannot break the line or steer the terminal`() {
    let fault = Fault(.missing, "a\nerror: b\u{1B}[2J\u{202E}", "is not there")
    #expect(
      LogStyle().error(fault) == [
        "omtask: error[missing]: a\\u{A}error: b\\u{1B}[2J\\u{202E}: is not there"
      ])
  }
}

@Suite struct FractalLogTests {
  private let fault = Fault(.io, "a", "is full", facts: ["0 bytes free"], hint: "make room")

  private func log(_ environment: [String: String]) throws -> FractalLog {
    let style = try FractalLog(Environment(environment), logger: "threshold") { "TIME" }
    return try #require(style)
  }

  @Test func `lines have Fractal's form and the cause is last`() throws {
    #expect(
      try log(["FRACTAL_CACHE_DIR": "/x"]).error(fault) == [
        "TIME; threshold; INFO; hint: make room", "TIME; threshold; INFO; 0 bytes free",
        "TIME; threshold; ERROR; error[io]: a: is full",
      ])
  }

  @Test func `without a variable of Fractal there is no Fractal log`() throws {
    #expect(try FractalLog(Environment(["PATH": "/bin"]), logger: "x") { "" } == nil)
  }

  @Test func `the level leaves out lower lines`() throws {
    let log = try log(["FRACTAL_TASK_LOG_LEVEL": "ERROR"])
    #expect(log.note("x") == nil)
    #expect(log.warning("x") == nil)
    #expect(log.error(fault) == ["TIME; threshold; ERROR; error[io]: a: is full"])
  }

  @Test func `an unknown level is refused with the known ones`() {
    #expect {
      try log(["FRACTAL_TASK_LOG_LEVEL": "LOUD"])
    } throws: { error in
      let fault = error as? Fault
      return fault?.kind == .usage && fault?.hint == "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"
    }
  }

  @Test func `a format of Python is filled once`() throws {
    let log = try log(["FRACTAL_TASK_LOG_FORMAT": "%(levelname)s|%(message)s|%(x)s"])
    #expect(log.note("%(name)s") == "INFO|%(name)s|%(x)s")
  }
}

import OMJSON
import OMRun
import Testing

@testable import OMCommands

private func progress(_ done: Int, of total: Int, bytes: Int = 0) -> RunProgress {
  RunProgress(done: done, total: total, unit: "regions", phase: "label", bytes: bytes)
}

@Suite struct ProgressTextTests {
  @Test func `a log line has share, count, rate and time left`() {
    let text = ProgressText(progress(24, of: 96, bytes: 81_604_378_624), seconds: 63.3333)
    #expect(text.line == "25% 24/96 regions, 1.2 GiB/s, 00:03:10 left")
  }

  @Test(arguments: [(0, "0% 0/96 regions, 0 B/s"), (95, "98% 95/96 regions, 0 B/s, 00:00:00 left")])
  func `nothing is promised before the first unit, nor 100 before the last`(done: Int, line: String)
  {
    #expect(ProgressText(progress(done, of: 96), seconds: 1).line == line)
  }

  @Test func `a run without work is not divided by zero`() {
    #expect(ProgressText(progress(0, of: 0), seconds: 0).line == "0% 0/0 regions, 0 B/s")
  }

  @Test(arguments: [20, 60, 80, 200])
  func `the bar fits the terminal`(columns: Int) {
    let bar = ProgressText(progress(48, of: 96), seconds: 10).bar(columns: columns)
    #expect(bar.count < columns)
    #expect(columns < 60 || bar.contains("50%  48/96 regions"))
    #expect(columns < 80 || bar.hasPrefix("[="))
  }
}

@Suite struct ProgressMeterTests {
  @Test func `a log gets a line every ten seconds and none in a short run`() {
    let sink = MemorySink()
    let meter = ProgressMeter(.auto, Console(sink, style: LogStyle()))
    for second in 0...25 { meter.show(progress(second, of: 100), seconds: Double(second)) }
    #expect(
      sink.text == """
        omtask: 10% 10/100 regions, 0 B/s, 00:01:30 left
        omtask: 20% 20/100 regions, 0 B/s, 00:01:20 left

        """)
  }

  @Test func `a terminal sees the bar move at most five times per second`() {
    let sink = MemorySink(isTerminal: true)
    let meter = ProgressMeter(.auto, Console(sink, style: TerminalStyle(colour: false)))
    for step in 0..<1000 { meter.show(progress(step, of: 1000), seconds: Double(step) / 1000) }
    #expect(sink.text.split(separator: "\r").count == 5)
    meter.finish()
    #expect(sink.text.hasSuffix("\r\u{1B}[K"))
  }

  @Test(arguments: [true, false])
  func `none shows nothing`(isTerminal: Bool) {
    let sink = MemorySink(isTerminal: isTerminal)
    let meter = ProgressMeter(.none, Console(sink, style: LogStyle()))
    for second in 0...30 { meter.show(progress(second, of: 30), seconds: Double(second)) }
    meter.finish()
    #expect(sink.bytes.isEmpty)
  }

  @Test func `plain shows lines on a terminal too`() {
    let sink = MemorySink(isTerminal: true)
    let meter = ProgressMeter(.plain, Console(sink, style: TerminalStyle(colour: false)))
    meter.show(progress(1, of: 2), seconds: 10)
    #expect(sink.text == "50% 1/2 regions, 0 B/s, 00:00:10 left\n")
  }
}

@Suite struct ConsoleTests {
  @Test func `a message stands above the bar and does not tear it`() {
    let sink = MemorySink(isTerminal: true)
    let console = Console(sink, style: TerminalStyle(colour: false))
    console.live("[==  ]")
    console.warning("look")
    #expect(sink.text == "\r\u{1B}[K[==  ]\r\u{1B}[Kwarning: look\n[==  ]")
  }

  @Test func `a silent rank says only what nobody else can say`() {
    let sink = MemorySink()
    let console = Console(sink, style: LogStyle())
    console.hush()
    console.warning("a")
    console.note("b")
    console.live("c")
    console.error(Fault(.io, "d", "e"))
    #expect(sink.bytes.isEmpty)
    console.error(Fault(.io, "d", "e"), always: true)
    #expect(sink.text == "omtask: error[io]: d: e\n")
  }
}

import Glibc
import OMJSON
import Synchronization
import Testing

@testable import OMRun

@Suite struct StopSwitchTests {
  @Test(arguments: [1, 2, 4])
  func `a stop finishes the pieces in hand and begins no further one`(threads: Int) {
    let stop = StopSwitch()
    let begun = Mutex(0)
    let finished = Mutex(0)
    let fault = expectFault {
      try ThreadEngine(threads: threads, stop: stop).walk(10_000) { piece, _ in
        begun.withLock { $0 += 1 }
        if piece == 5 { stop.request(.notice(signal: SIGUSR1)) }
        usleep(500)
        finished.withLock { $0 += 1 }
      }
    }
    #expect(fault?.kind == .stopped)
    #expect(fault?.exitCode == 75)
    #expect(begun.withLock { $0 } == finished.withLock { $0 })
    #expect(begun.withLock { $0 } <= 6 + 2 * threads)
    #expect(stop.work.finished == finished.withLock { $0 })
    #expect(stop.work.stillness == nil)
  }

  @Test func `an image on one worker stops between its regions`() {
    let stop = StopSwitch()
    let done = Mutex(0)
    let fault = expectFault {
      try SerialEngine(Worker(number: 3), stop: stop).walk(100) { piece, _ in
        if piece == 6 { stop.request(.signal(SIGTERM)) }
        done.withLock { $0 += 1 }
      }
    }
    #expect(fault?.exitCode == 143)
    #expect(done.withLock { $0 } == 7)
  }

  @Test func `a walk whose pieces are all done does not throw, the next one does`() throws {
    let stop = StopSwitch()
    let engine = ThreadEngine(threads: 1, stop: stop)
    try engine.walk(3) { piece, _ in if piece == 2 { stop.request(.jobEnds(seconds: 9)) } }
    #expect(expectFault { try engine.walk(1) { _, _ in } }?.kind == .stopped)
  }

  @Test func `the gravest reason counts, and of equal ones the first`() {
    let stop = StopSwitch()
    #expect(stop.reason == nil && !stop.isOn)
    stop.request(.jobEnds(seconds: 60))
    stop.request(.notice(signal: SIGUSR1))
    #expect(stop.reason == .jobEnds(seconds: 60))
    stop.request(.signal(SIGINT))
    stop.request(.signal(SIGTERM))
    stop.request(.notice(signal: SIGUSR1))
    #expect(stop.reason == .signal(SIGINT))
  }

  @Test(
    arguments: [
      (.notice(signal: 10), 75, "stopped by USR1 after 12 of 96 regions"),
      (.jobEnds(seconds: 60), 75, "stopped after 12 of 96 regions, 60 s before the end of the job"),
      (.signal(1), 129, "ended by HUP after 12 of 96 regions"),
      (.signal(2), 130, "ended by INT after 12 of 96 regions"),
      (.signal(15), 143, "ended by TERM after 12 of 96 regions"),
      (.stalled("nothing moves"), 75, "nothing moves"),
    ] as [(StopSwitch.Reason, Int32, String)])
  func `the fault says why and how far`(reason: StopSwitch.Reason, code: Int32, text: String) {
    let stop = StopSwitch()
    let progress = RunProgress(done: 12, total: 96, unit: "regions", phase: "mask", bytes: 0)
    stop.work.note(progress, image: 0, done: 12)
    stop.request(reason)
    #expect(stop.fault.message == text)
    #expect(stop.fault.exitCode == code)
    #expect(stop.fault.endsRun)
  }

  @Test func `what must be released is released once, the latest first`() {
    let stop = StopSwitch()
    let released = Mutex<[Int]>([])
    stop.atForcedEnd { released.withLock { $0.append(1) } }
    let second = stop.atForcedEnd { released.withLock { $0.append(2) } }
    stop.atForcedEnd { released.withLock { $0.append(3) } }
    stop.forget(second)
    stop.releaseAll()
    stop.releaseAll()
    #expect(released.withLock { $0 } == [3, 1])
  }

  @Test func `the piece in hand for longest has a name`() {
    let log = WorkLog()
    #expect(log.stillness == nil)
    log.begin(7, worker: 2) { "image \($0)" }
    usleep(20_000)
    log.begin(1, worker: 2) { "region \($0)" }
    log.begin(9, worker: 0) { "region \($0)" }
    #expect(log.stillness?.piece == "region 1")
    log.end(worker: 2)
    // The end of another piece is a sign of life.
    #expect(log.stillness?.piece == "image 7")
    #expect(log.stillness.map { $0.seconds < 0.02 } == true)
    log.end(worker: 2)
    #expect(log.stillness?.piece == "region 9")
    log.end(worker: 0)
    #expect(log.stillness == nil)
    #expect(log.finished == 3)
  }

  @Test func `a signal keeps its number on the way between ranks`() throws {
    let stop = StopSwitch()
    stop.request(.signal(SIGHUP))
    let bytes = Array(stop.fault.encoded().text().utf8)
    #expect(try Fault(decoding: JSON(parsing: bytes, subject: "")) == stop.fault)
  }
}

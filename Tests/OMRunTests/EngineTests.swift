import Glibc
import OMJSON
import Synchronization
import Testing

@testable import OMRun

@Suite struct EngineTests {
  @Test(arguments: [1, 2, 3, 8], [0, 1, 2, 7, 500])
  func `every piece is done once, by one worker at a time`(threads: Int, pieces: Int) throws {
    let done = Mutex([Int](repeating: 0, count: pieces))
    let busy = Mutex([Bool](repeating: false, count: threads))
    try ThreadEngine(threads: threads).walk(pieces) { piece, worker in
      let wasBusy = busy.withLock { busy in
        defer { busy[worker.number] = true }
        return busy[worker.number]
      }
      #expect(!wasBusy)
      done.withLock { $0[piece] += 1 }
      busy.withLock { $0[worker.number] = false }
    }
    #expect(done.withLock { $0 } == [Int](repeating: 1, count: pieces))
  }

  @Test(arguments: [1, 2, 3])
  func `no more workers run at once than allowed`(most: Int) throws {
    let running = Mutex((now: 0, largest: 0))
    try ThreadEngine(threads: 6).walk(40, most: most) { _, _ in
      running.withLock {
        $0.now += 1
        $0.largest = max($0.largest, $0.now)
      }
      usleep(200)
      running.withLock { $0.now -= 1 }
    }
    #expect(running.withLock { $0.largest } <= most)
  }

  @Test(arguments: [1, 2, 4])
  func `the first error stops the walk`(threads: Int) {
    let begun = Mutex(0)
    let fault = expectFault {
      try ThreadEngine(threads: threads).walk(10_000) { piece, _ in
        begun.withLock { $0 += 1 }
        if piece == 5 { throw Fault(.task, "piece 5", "does not work") }
        if piece > 5 { usleep(100) }
      }
    }
    #expect(fault?.subject == "piece 5")
    #expect(begun.withLock { $0 } < 1000)
    if threads == 1 { #expect(begun.withLock { $0 } == 6) }
  }

  @Test(arguments: [2, 3, 5])
  func `all ranks get the fault of the lowest rank that failed`(count: Int) {
    let ranks = FakeRanks()
    let results = ranks.run(count) { rank -> Int in
      let engine = ThreadEngine(threads: 1, communicator: rank)
      #expect(try engine.agree { rank.rank * 2 } == rank.rank * 2)
      try engine.agree {
        if rank.rank > 0 {
          throw Fault(
            .codec, "c/\(rank.rank)", "is damaged", facts: ["read 7 bytes"], hint: "look again")
        }
      }
      return 0
    }
    #expect(results.count == count)
    for result in results {
      #expect(
        throws: Fault(.codec, "c/1", "is damaged", facts: ["read 7 bytes"], hint: "look again")
      ) {
        _ = try result.get()
      }
    }
    #expect(ranks.leftOver == 0)
  }

  @Test(arguments: [0, 1])
  func `a rank that gave up has the fault of the rank that failed`(failing: Int) {
    for result in FakeRanks().run(
      2,
      { rank -> Int in
        try ThreadEngine(threads: 1, communicator: rank).agree {
          if rank.rank == failing { throw Fault(.io, "disk", "is full") }
          throw GivenUp()
        }
      })
    {
      #expect(throws: Fault(.io, "disk", "is full").met(by: failing)) { try result.get() }
    }
  }

  @Test func `what only another rank meets names its machine`() {
    let fault = Fault(.missing, "a.zarr", "there is no such folder")
    #expect(fault.met(by: 0, on: "n1") == fault)
    let met = fault.met(by: 2, on: "n2")
    #expect(met.facts == ["rank 2 on n2 met this"])
    #expect(met.hint?.contains("mounted on n2") == true)
    #expect(met.description == fault.description)
    let usage = Fault(.usage, "", "wrong")
    #expect(usage.met(by: 2, on: "n2") == usage)
  }

  @Test func `giving up without a failure is never a success`() {
    for result in FakeRanks().run(
      2,
      { rank -> Int in
        try ThreadEngine(threads: 1, communicator: rank).agree {
          if rank.rank == 1 { throw GivenUp() }
          return 1
        }
      })
    {
      #expect(expectFault { _ = try result.get() }?.kind == .internal)
    }
  }

  @Test func `ranks with different numbers of threads count the same workers`() throws {
    let results = FakeRanks().run(4) { rank in
      try Runner.workerCount(ThreadEngine(threads: rank.rank * 3 + 1, communicator: rank))
    }
    for result in results { #expect(try result.get() == 22) }
  }

  @Test(arguments: FaultKind.allCases)
  func `a fault comes back from its message as it was`(kind: FaultKind) throws {
    for fault in [
      Fault(kind, "a/\"b\"/µ", "went\nwrong", facts: ["one", "", "three\t"], hint: "try `x`"),
      Fault(kind, "", ""),
    ] {
      let bytes = Array(fault.encoded().text().utf8)
      #expect(try Fault(decoding: JSON(parsing: bytes, subject: "")) == fault)
    }
  }

  @Test func `what is no fault is a bug of ours`() {
    struct Surprise: Error {}
    #expect(Fault(wrapping: Surprise()).kind == .internal)
    #expect(Fault(wrapping: Fault(.io, "a", "b")) == Fault(.io, "a", "b"))
    for text in ["{}", "[]", #"{"kind":"new","subject":"","message":""}"#] {
      let fault = expectFault {
        _ = try Fault(decoding: JSON(parsing: Array(text.utf8), subject: ""))
      }
      #expect(fault?.kind == .internal)
    }
  }
}

/// Expects a fault and returns it.
func expectFault(
  at place: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> Fault? {
  do {
    try body()
    Issue.record("no fault", sourceLocation: place)
    return nil
  } catch {
    return Fault(wrapping: error)
  }
}

import Glibc
import OMJSON
import Testing

@testable import OMRun

/// The watches of several ranks in one thread, with a clock of their own.
private final class WatchedRanks {
  private(set) var watches: [RankWatch] = []
  let switches: [StopSwitch]
  private let mail = Mail()
  var now = SuspendingClock.now

  private final class Mail {
    var letters: [(bytes: [UInt8], from: Int, to: Int)] = []
  }

  init(_ size: Int, patience: Double = 900) {
    switches = (0..<size).map { _ in StopSwitch() }
    for rank in 0..<size {
      watches.append(
        RankWatch(
          rank: rank, size: size, host: "n\(rank)", patience: patience, stop: switches[rank],
          now: now
        ) { [mail] bytes, to in mail.letters.append((bytes, rank, to)) })
    }
  }

  /// Lets every rank but some look at its messages once, so many seconds later.
  ///
  /// - Returns: For each rank why it ends the job, if it does.
  @discardableResult
  func step(_ seconds: Double = 0.05, without absent: Set<Int> = []) -> [Fault?] {
    now += .seconds(seconds)
    return watches.indices.map { rank in
      if absent.contains(rank) { return nil }
      for letter in mail.letters where letter.to == rank {
        watches[rank].take(letter.bytes, from: letter.from, now: now)
      }
      mail.letters.removeAll { $0.to == rank }
      return watches[rank].tick(now: now)
    }
  }

  /// Many steps; the first end of the job, who noticed, and when.
  func run(
    seconds: Double, by interval: Double = 0.25, without absent: Set<Int> = []
  ) -> (rank: Int, fault: Fault, seconds: Double)? {
    let start = now
    while (now - start) / .seconds(1) < seconds {
      let ends = step(interval, without: absent)
      for (rank, end) in ends.enumerated() {
        if let end { return (rank, end, (now - start) / .seconds(1)) }
      }
    }
    return nil
  }
}

@Suite struct RankWatchTests {
  @Test(arguments: [0, 1, 3])
  func `a stop on one rank reaches all ranks`(first: Int) {
    let ranks = WatchedRanks(4)
    ranks.switches[first].request(.signal(15))
    for _ in 0..<3 { ranks.step() }
    for stop in ranks.switches { #expect(stop.reason == .signal(15)) }
  }

  @Test func `a graver reason follows a lesser one to all ranks`() {
    let ranks = WatchedRanks(3)
    ranks.switches[2].request(.notice(signal: 10))
    for _ in 0..<3 { ranks.step() }
    for stop in ranks.switches { #expect(stop.reason == .notice(signal: 10)) }
    ranks.switches[1].request(.signal(2))
    for _ in 0..<3 { ranks.step() }
    for stop in ranks.switches { #expect(stop.reason == .signal(2)) }
  }

  @Test(arguments: [0, 2])
  func `a failure on one rank gives up the work of all ranks until they meet`(first: Int) throws {
    let ranks = WatchedRanks(3)
    let engines = ranks.switches.map { ThreadEngine(threads: 1, stop: $0) }
    for engine in engines { engine.work.beginMeeting() }
    for engine in engines { try engine.walk(2) { _, _ in } }
    let fault = expectFault {
      try engines[first].walk(1) { _, _ in throw Fault(.io, "disk", "is full") }
    }
    #expect(fault?.kind == .io)
    for _ in 0..<3 { ranks.step() }
    for (rank, engine) in engines.enumerated() where rank != first {
      #expect(throws: GivenUp.self) {
        try engine.walk(1) { _, _ in Issue.record("a piece was begun") }
      }
    }
    for engine in engines { engine.work.beginMeeting() }
    for engine in engines { try engine.walk(1) { _, _ in } }
  }

  @Test(arguments: [(1, 0), (3, 0), (0, 1)])
  func `a silent rank is noticed by the one that watches it`(silent: Int, by: Int) throws {
    let ranks = WatchedRanks(4, patience: 5)
    ranks.switches[silent].work.begin(1, worker: 0) { "region \($0)" }
    #expect(ranks.run(seconds: 3) == nil)
    let end = try #require(ranks.run(seconds: 20, without: [silent]))
    #expect(end.rank == by)
    #expect(end.fault.kind == .stalled)
    #expect(
      end.fault.message.hasPrefix("rank \(silent) on n\(silent) has given no sign of life for"))
    #expect(end.fault.message.hasSuffix("it had region 1 in hand"))
    #expect(4...6.5 ~= end.seconds)
  }

  @Test func `a job that was stopped as a whole goes on`() {
    let ranks = WatchedRanks(3, patience: 5)
    #expect(ranks.run(seconds: 3) == nil)
    for _ in 0..<3 { ranks.step(1000) }
    #expect(ranks.run(seconds: 3) == nil)
  }

  @Test func `a rank that was stopped for too long has been given up for a moment`() {
    let ranks = WatchedRanks(2, patience: 5)
    ranks.step()
    #expect(!ranks.watches[0].wasGivenUp(now: ranks.now))
    ranks.step(6)
    #expect(ranks.watches[0].wasGivenUp(now: ranks.now))
    #expect(!ranks.watches[0].wasGivenUp(now: ranks.now + .seconds(4)))
  }

  @Test(arguments: [0, 2])
  func `a piece that never ends is noticed by rank 0`(rank: Int) throws {
    let ranks = WatchedRanks(3, patience: 0.2)
    ranks.switches[rank].work.begin(4, worker: 0) { "region \($0)" }
    usleep(250_000)
    ranks.switches[0].work.begin(5, worker: 1) { "region \($0)" }
    let end = try #require(ranks.run(seconds: 2, by: 0.04))
    #expect(end.rank == 0)
    #expect(end.fault.kind == .stalled)
    #expect(end.fault.message.hasSuffix("and region 4 on rank \(rank) on n\(rank) does not end"))
    // Whatever is finished anywhere is a sign of life.
    ranks.switches[0].work.end(worker: 1)
    #expect(ranks.step(0.05) == [nil, nil, nil])
  }

  @Test func `time is counted from the last break`() {
    let start = SuspendingClock.now
    var clock = UnbrokenTime(patience: 900, now: start)
    for second in 1...10 { #expect(clock.look(now: start + .seconds(second)) == 0) }
    #expect(clock.seconds == 10)
    #expect(clock.look(now: start + .seconds(1000)) == 990)
    #expect(clock.seconds == 0)
    #expect(clock.look(now: start + .seconds(1003)) == 0)
    #expect(clock.seconds == 3)
  }

  @Test func `without a limit nobody is given up`() {
    let ranks = WatchedRanks(3, patience: 0)
    #expect(ranks.run(seconds: 100, without: [2]) == nil)
  }

  @Test func `a rank on its own watches its work only`() {
    let ranks = WatchedRanks(1, patience: 5)
    #expect(ranks.run(seconds: 30) == nil)
  }

  @Test(arguments: [
    RankMessage.stop(.notice(signal: 10)), .stop(.jobEnds(seconds: 77)), .stop(.stalled("µ")),
    .stop(.signal(15)), .failedMeeting(7), .sign(SignOfLife()),
    .sign(
      SignOfLife(
        finished: 5, image: 2, done: 3, bytes: 9, secondsInHand: 1.5, host: "n1", piece: "region µ")
    ),
  ])
  func `a message comes back as it was`(message: RankMessage) throws {
    #expect(try RankMessage(message.bytes) == message)
    for count in 0..<message.bytes.count {
      #expect(throws: Fault.self) { try RankMessage(Array(message.bytes.prefix(count))) }
    }
  }

  @Test func `names are cut so that a message is at most a kilobyte`() throws {
    let long = String(repeating: "µ", count: 5000)
    let message = RankMessage.sign(SignOfLife(host: long, piece: long))
    #expect(message.bytes.count <= 1024)
    _ = try RankMessage(message.bytes)
  }

  @Test func `bytes that are no message are passed over`() {
    let ranks = WatchedRanks(2)
    ranks.watches[0].take([], from: 1)
    ranks.watches[0].take([9, 9, 9], from: 1)
    ranks.watches[0].take([1, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], from: 1)
    #expect(ranks.switches[0].reason == nil)
  }
}

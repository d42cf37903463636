import Glibc
import OMJSON
import Synchronization
import Testing

@testable import OMMPI

/// The calling thread.
private func thisThread() -> pthread_t { pthread_self() }

@Suite struct CallDeskTests {
  @Test func `calls of the run are made by the owner, one after the other`() throws {
    let desk = CallDesk()
    let owner = thisThread()
    let result = try desk.serve({ () throws(Fault) in
      #expect(thisThread() != owner)
      return (0..<1000).map { number in
        desk.onOwner {
          #expect(thisThread() == owner)
          return number * 2
        }
      }
    }) {}
    #expect(result == (0..<1000).map { $0 * 2 })
  }

  @Test func `what the run throws comes out`() {
    let desk = CallDesk()
    #expect(throws: Fault(.io, "disk", "is full")) {
      try desk.serve({ () throws(Fault) -> Int in throw Fault(.io, "disk", "is full") }) {}
    }
  }

  @Test(arguments: [true, false])
  func `the owner looks around in quiet and in busy times`(isBusy: Bool) throws {
    let desk = CallDesk()
    let looks = Mutex(0)
    try desk.serve({ () throws(Fault) in
      let end = SuspendingClock.now + .milliseconds(400)
      while .now < end {
        if isBusy { desk.onOwner {} } else { usleep(1000) }
      }
    }) { looks.withLock { $0 += 1 } }
    #expect(2...9 ~= looks.withLock { $0 })
  }

  @Test func `a closed desk takes calls and looks no more`() throws {
    let desk = CallDesk()
    let looks = Mutex(0)
    let answer = try desk.serve({ () throws(Fault) in
      desk.onOwner { desk.close() }
      usleep(150_000)
      return desk.onOwner { 7 }
    }) { looks.withLock { $0 += 1 } }
    #expect(answer == 7)
    #expect(looks.withLock { $0 } <= 1)
  }

  @Test func `the owner calls without a way round`() {
    #expect(CallDesk().onOwner { 5 } == 5)
  }
}

import OMJSON
import OMStore
import Testing

@testable import OMRun

@Suite struct OutputRoomTests {
  private func kind(_ work: () throws(Fault) -> Void) -> FaultKind? {
    do throws(Fault) {
      try work()
      return nil
    } catch { return error.kind }
  }

  @Test func `ten million files are written, one more is refused`() {
    let most = OutputRoom(bytes: 1, files: 10_000_000)
    let space = FreeSpace(bytes: 1 << 40, inodes: 20_000_000)
    #expect(kind { () throws(Fault) in try most.check("/absent") } == nil)
    #expect(kind { () throws(Fault) in try most.check("/absent", space) } == nil)
    let more = OutputRoom(bytes: 1, files: 10_000_001)
    #expect(kind { () throws(Fault) in try more.check("/absent") } == .limit)
    var limits = Limits()
    limits.files = 10_000_001
    #expect(kind { () throws(Fault) in try more.check("/absent", limits: limits) } == nil)
  }

  @Test func `more files than the disk takes are an error of the disk`() {
    let room = OutputRoom(bytes: 1, files: 101)
    let check = { (inodes: Int?) -> FaultKind? in
      kind { () throws(Fault) in try room.check("a", FreeSpace(bytes: 1000, inodes: inodes)) }
    }
    #expect(check(100) == .io)
    #expect(check(101) == nil)
    #expect(check(nil) == nil)
  }

  @Test func `a disk that has not a hundredth of the bytes is too small`() {
    let room = OutputRoom(bytes: 100_000, files: 1)
    let check = { (bytes: Int) -> FaultKind? in
      kind { () throws(Fault) in try room.check("a", FreeSpace(bytes: bytes, inodes: nil)) }
    }
    #expect(check(999) == .io)
    #expect(check(1000) == nil)
  }
}

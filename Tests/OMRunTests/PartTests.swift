import OMGrid
import OMJSON
import Testing

@testable import OMRun

@Suite struct PartTests {
  @Test func `a part is one of those there are`() throws {
    #expect(try #require(WorkPart(2, of: 8)).description == "2/8")
    #expect(WorkPart(8, of: 8) == nil && WorkPart(-1, of: 8) == nil && WorkPart(0, of: 0) == nil)
  }

  @Test(arguments: [(0, 1), (2, 8), (19_999, 20_000)])
  func `the name of a lock says whose it is`(index: Int, count: Int) throws {
    let part = try #require(WorkPart(index, of: count))
    #expect(Stage.part(ofLock: Stage.lockName(of: part)) == part)
  }

  @Test(arguments: [
    "lock", "part-1-of-2", "part-2-of-2.lock", "part-1-of-2.lock.ab12", "part-a-of-2.lock",
    "part-1-2.lock", "journal.0.0",
  ])
  func `no other file is taken for the lock of a part`(name: String) {
    #expect(Stage.part(ofLock: name) == nil)
  }

  @Test func `parts come back from a journal, and the rest waits for all of one cut`() throws {
    let parts = try [(0, 2), (1, 3), (0, 3)].map { try #require(WorkPart($0.0, of: $0.1)) }
    #expect(PastWork().missingParts == nil)
    var past = PastWork()
    past.add("0.0", JournalForm.bytes(of: parts.map(JournalRecord.part)))
    #expect(past.parts == Set(parts))
    #expect(past.missingParts?.count == 1)
    past.add("1.0", JournalForm.bytes(of: [.part(try #require(WorkPart(2, of: 3)))]))
    #expect(past.missingParts == [])
  }
}

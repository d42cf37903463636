import OMJSON
import Testing

@testable import OMRun

@Suite struct FindingListTests {
  private func finding(_ path: String, _ kind: FaultKind, _ position: [Int]? = nil) -> Finding {
    Finding(Fault(kind, path, "damaged"), position: position)
  }

  @Test func `findings are in order however they come, and all are counted`() {
    var list = FindingList()
    let paths = (0..<FindingList.limit + 50).map { "a\(10_000 + $0)" }
    for path in paths.shuffled() { list.add(finding(path, .codec)) }
    #expect(list.count == paths.count)
    #expect(list.listed.map(\.fault.subject) == Array(paths.prefix(FindingList.limit)))
  }

  @Test func `chunks of one file are in the order of their positions`() {
    var list = FindingList()
    let positions = [[1, 0], [0, 10], [0, 2]]
    for position in positions { list.add(finding("a", .codec, position)) }
    #expect(list.listed.map(\.position) == [[0, 2], [0, 10], [1, 0]])
  }

  @Test func `the gravest is found even behind the end of the list`() {
    var list = FindingList()
    for number in 0..<FindingList.limit { list.add(finding("a\(number)", .codec)) }
    #expect(list.gravest?.fault.kind == .codec)
    list.add(finding("z2", .io))
    list.add(finding("z1", .io))
    #expect(list.gravest?.fault.subject == "z1")
    #expect(FindingList().gravest == nil)
  }
}

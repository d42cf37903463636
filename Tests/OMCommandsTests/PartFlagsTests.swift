import OMGrid
import OMJSON
import Testing

@testable import OMCommands

@Suite struct PartFlagsTests {
  @Test(arguments: ["0/1", "2/8", "19999/20000"])
  func `a part is a number and a count`(text: String) throws {
    let setting = try #require(PartSetting(argument: text))
    #expect(try setting.part(in: Environment([:])).description == text)
  }

  @Test(arguments: ["", "1", "8/8", "-1/3", "0/0", "0/20001", "a/b", "1/2/3", "Auto"])
  func `other words are no part`(text: String) {
    #expect(PartSetting(argument: text) == nil)
  }

  private func array(_ element: Int, _ count: Int, _ first: Int) -> Environment {
    Environment([
      "SLURM_ARRAY_TASK_ID": "\(element)", "SLURM_ARRAY_TASK_COUNT": "\(count)",
      "SLURM_ARRAY_TASK_MIN": "\(first)",
    ])
  }

  @Test(arguments: [
    (0, 8, 0, "0/8"), (7, 8, 0, "7/8"), (1, 8, 1, "0/8"), (8, 8, 1, "7/8"), (0, 1, 0, "0/1"),
  ])
  func `auto is the element of a whole array`(row: (Int, Int, Int, String)) throws {
    #expect(try PartSetting.element.part(in: array(row.0, row.1, row.2)).description == row.3)
  }

  // One element that is sent again, every second one, a range in the middle, numbers with a gap.
  @Test(arguments: [(3, 1, 3), (1, 1, 1), (6, 4, 0), (4, 3, 3), (9, 3, 0)])
  func `auto does not guess how many parts there are`(row: (Int, Int, Int)) {
    #expect(throws: Fault.self) {
      try PartSetting.element.part(in: array(row.0, row.1, row.2))
    }
  }
}

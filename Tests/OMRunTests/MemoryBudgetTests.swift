import OMGrid
import OMJSON
import OMTask
import Testing

@testable import OMRun

@Suite struct MemoryBudgetTests {
  /// Plans of one image; none of their voxels is stored.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let shape: [Int]
    let chunk: [Int]
    var shard: [Int]?
    var dataType: DataType = .uint16
    var recipes: [LabelRecipe] = [.outline()]

    func plans() throws -> [LabelPlan] {
      let image = try PlannedImage(
        "czyx", shape, chunk: chunk, shard: shard, dataType: dataType, levels: 3)
      return try recipes.map { try image.plan($0) }
    }
  }

  static let cases: [Case] = [
    Case(
      testDescription: "objects of small chunks", shape: [1, 100, 1024, 1024],
      chunk: [1, 16, 128, 128]),
    Case(
      testDescription: "a mask of large chunks", shape: [1, 64, 4096, 4096],
      chunk: [1, 32, 512, 512], recipes: [.outline(statistics: .histogram, objects: false)]),
    Case(
      testDescription: "a volume in one shard", shape: [1, 64, 512, 512],
      chunk: [1, 32, 64, 64], shard: [1, 64, 512, 512],
      recipes: [.outline(statistics: .histogram)]),
    Case(
      testDescription: "bytes in one shard", shape: [1, 256, 512, 512],
      chunk: [1, 32, 64, 64], shard: [1, 256, 512, 512], dataType: .uint8,
      recipes: [.outline(statistics: .histogram)]),
    Case(
      testDescription: "two channels", shape: [2, 64, 512, 512], chunk: [1, 64, 256, 256],
      recipes: [.outline(statistics: .histogram), .outline(channels: [1])]),
  ]

  private static let mebibyte = 1 << 20

  @Test(arguments: cases, [1, 4])
  func `workers stay within the memory, and more of it never makes fewer of them`(
    one: Case, wanted: Int
  ) throws {
    let plans = try one.plans()
    var before = 0
    for memory in stride(from: 8, through: 2048, by: 9).map({ $0 * Self.mebibyte }) {
      guard let budget = try? MemoryBudget(plans, memory: memory, workers: wanted, ranks: 1)
      else {
        #expect(before == 0, "\(memory >> 20) MiB are refused, less was enough")
        before = 0
        continue
      }
      #expect(budget.total <= memory && budget.betweenPasses >= 0)
      #expect((1...wanted).contains(budget.workers))
      before = budget.workers
    }
    #expect(before == wanted)
  }

  @Test func `fewer workers run when memory is short`() throws {
    let plans = try Self.cases[1].plans()
    let plenty = try MemoryBudget(plans, memory: 8 << 30, workers: 8, ranks: 1)
    let one = try MemoryBudget(plans, memory: 8 << 30, workers: 1, ranks: 1)
    let worker = (plenty.total - one.total) / 7
    #expect(plenty.workers == 8 && worker > 0)
    for workers in 1...8 {
      let memory = one.total + (workers - 1) * worker
      #expect(
        try MemoryBudget(plans, memory: memory, workers: 8, ranks: 1).workers == workers)
    }
    #expect(
      throws: Fault.self,
      performing: {
        _ = try MemoryBudget(plans, memory: one.total - 1, workers: 8, ranks: 1)
      })
  }

  @Test(arguments: cases)
  func `a refusal tells how much memory is enough`(one: Case) throws {
    let plans = try one.plans()
    let fault = expectFault {
      _ = try MemoryBudget(plans, memory: 9 * Self.mebibyte, workers: 2, ranks: 1)
    }
    #expect(fault?.kind == .limit && fault?.subject == "--memory")
    let message = try #require(fault?.message)
    let match = try #require(
      message.wholeMatch(of: #/one worker needs (\d+) MiB, there are 9 MiB/#))
    let needed = try #require(Int(match.1))
    #expect(fault?.facts == ["a region holds \(plans[0].grid.cells.cellShape) voxels"])
    #expect(fault?.hint?.contains("--memory") == true)
    let enough = try MemoryBudget(
      plans, memory: needed * Self.mebibyte, workers: 2, ranks: 1)
    #expect(enough.workers >= 1)
    _ = expectFault {
      _ = try MemoryBudget(plans, memory: (needed - 1) * Self.mebibyte, workers: 2, ranks: 1)
    }
  }

  @Test func `what ranks share takes less of each`() throws {
    let plans = try Self.cases[0].plans()
    let alone = try MemoryBudget(plans, memory: 4 << 30, workers: 2, ranks: 1)
    let shared = try MemoryBudget(plans, memory: 4 << 30, workers: 2, ranks: 4)
    #expect(alone.betweenPasses == 2 * plans[0].processedVoxels)
    #expect(shared.betweenPasses == alone.betweenPasses / 4)
    #expect(alone.total - shared.total == alone.betweenPasses - shared.betweenPasses)
    let mask = try MemoryBudget(
      Self.cases[1].plans(), memory: 4 << 30, workers: 2, ranks: 1)
    #expect(mask.betweenPasses == 0)
  }
}

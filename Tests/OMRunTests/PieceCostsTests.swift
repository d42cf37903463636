import OMGrid
import OMTask
import Testing

@testable import OMRun

@Suite struct PieceCostsTests {
  /// Four time points, a region each.
  private static func image() throws -> PlannedImage {
    try PlannedImage("tyx", [4, 8, 8], chunk: [1, 4, 8])
  }

  @Test func `chunks that are not stored cost little`() throws {
    let image = try Self.image()
    image.put([2, 0, 0], bytes: 300)
    image.put([2, 1, 0], bytes: 100)
    let plans = [try image.plan(.outline())]
    let pieces = Piece.all(of: plans)
    #expect(pieces.map(\.region.origin[0]) == [0, 1, 2, 3])
    #expect(pieces.map(\.voxels) == [64, 64, 64, 64])
    let costs = try PieceCosts.measured(pieces, of: plans).map(\.cost)
    for absent in [0, 1, 3] { #expect(costs[absent] > 0 && costs[absent] < costs[2] / 50) }
    #expect(abs(costs.reduce(0, +) - pieces.reduce(0) { $0 + $1.cost }) < 1e-9)
  }

  @Test func `stored bytes count, and alike pieces cost alike`() throws {
    let image = try Self.image()
    for time in 0..<4 {
      for row in 0..<2 { image.put([time, row, 0], bytes: time == 3 ? 40 : 10) }
    }
    let plans = [try image.plan(.outline())]
    let costs = try PieceCosts.measured(Piece.all(of: plans), of: plans).map(\.cost)
    #expect(costs[0] == costs[1] && costs[1] == costs[2])
    #expect((3.5...4).contains(costs[3] / costs[0]))
  }

  @Test func `without a stored chunk costs go by voxels, and what is not selected costs least`()
    throws
  {
    let plans = [try Self.image().plan(.outline(), selection: ["t": 1..<3, "y": 0..<4])]
    let pieces = Piece.all(of: plans)
    #expect(pieces.map(\.voxels) == [0, 32, 32, 0])
    let costs = try PieceCosts.measured(pieces, of: plans).map(\.cost)
    #expect(costs == [1, 33, 33, 1])
  }

  @Test func `chunks outside the selection do not count`() throws {
    let image = try Self.image()
    image.put([0, 0, 0], bytes: 1000)
    image.put([1, 0, 0], bytes: 10)
    let plans = [try image.plan(.outline(), selection: ["t": 1..<3])]
    let costs = try PieceCosts.measured(Piece.all(of: plans), of: plans).map(\.cost)
    #expect(costs[0] < 1 && costs[1] > 10 * costs[2])
  }

  @Test func `every rank has the costs that rank 0 found`() throws {
    let image = try Self.image()
    image.put([1, 0, 0], bytes: 77)
    let blank = try Self.image()
    let expected = [try image.plan(.outline())]
    let costs = try PieceCosts.measured(Piece.all(of: expected), of: expected).map(\.cost)
    let ranks = FakeRanks()
    let results = ranks.run(3) { rank in
      // Only rank 0 asks the store: what another sees there does not matter.
      let plans = [try (rank.rank == 0 ? image : blank).plan(.outline())]
      let engine = ThreadEngine(threads: 1, communicator: rank)
      return try PieceCosts.shared(Piece.all(of: plans), of: plans, engine).map(\.cost)
    }
    for result in results { #expect(try result.get() == costs) }
    #expect(ranks.leftOver == 0)
  }
}

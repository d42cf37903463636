import TestSupport
import Testing

@testable import OMRun

@Suite struct RebalanceTests {
  @Test(arguments: 1...20)
  func `moves make the busiest rank less busy and no piece goes twice`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let costs = (0..<Int.random(in: 1...6, using: &random)).map { _ in
      (0..<Int.random(in: 0...9, using: &random)).map { _ in
        Double.random(in: 0...5, using: &random)
      }
    }
    let moves = Rebalance.moves(costs)
    var loads = costs.map { $0.reduce(0, +) }
    let before = loads.max() ?? 0
    for move in moves {
      loads[move.from] -= costs[move.from][move.place]
      loads[move.to] += costs[move.from][move.place]
      #expect(move.from != move.to)
    }
    #expect(loads.max() ?? 0 <= before + 1e-9)
    #expect(Set(moves.map { [$0.from, $0.place] }).count == moves.count)
  }

  @Test func `all work in one corner is shared`() {
    let moves = Rebalance.moves([Array(repeating: 1, count: 40), [0.01], [0.01], []])
    for rank in 1...3 { #expect((9...11).contains(moves.count { $0.to == rank })) }
    #expect(Rebalance.moves([[1, 1], [1, 1]]).isEmpty)
    #expect(Rebalance.moves([[], []]).isEmpty)
    #expect(Rebalance.moves([[7], []]).isEmpty)
  }
}

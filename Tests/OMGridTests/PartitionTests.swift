import OMGrid
import TestSupport
import Testing

@Suite struct PartitionTests {
  @Test(arguments: [1, 2, 3, 5, 64], 1...12)
  func `parts are contiguous and hold every piece once`(parts: Int, seed: UInt64) {
    var random = SplitMix(seed: seed)
    let costs = (0..<Int.random(in: 0...40, using: &random)).map { _ in
      Double.random(in: -1...9, using: &random)
    }
    let partition = Partition(costs: costs, parts: parts)
    #expect(partition.owners.count == costs.count)
    #expect(partition.owners == partition.owners.sorted())
    #expect(partition.owners.allSatisfy { 0..<parts ~= $0 })
    #expect((0..<parts).flatMap(partition.pieces) == Array(costs.indices))
  }

  @Test(arguments: [2, 3, 5, 7], 1...10)
  func `no part is more than one piece above its share`(parts: Int, seed: UInt64) {
    var random = SplitMix(seed: seed)
    let costs = (0..<50).map { _ in Double.random(in: 0...9, using: &random) }
    let share = costs.reduce(0, +) / Double(parts)
    let partition = Partition(costs: costs, parts: parts)
    for part in 0..<parts {
      let cost = partition.pieces(of: part).reduce(0) { $0 + costs[$1] }
      #expect(cost <= share + (costs.max() ?? 0))
    }
  }

  @Test(
    arguments: [
      ([], 3, []), ([0, 0, 0, 0], 2, [0, 0, 1, 1]), ([5], 4, [2]), ([-1, -2], 2, [0, 1]),
    ]
      as [([Double], Int, [Int])])
  func `pieces that cost nothing are dealt out evenly`(
    costs: [Double], parts: Int, owners: [Int]
  ) {
    #expect(Partition(costs: costs, parts: parts).owners == owners)
  }
}

@Suite struct LocalityOrderTests {
  @Test(arguments: [[1], [5], [4, 4], [3, 5], [2, 3, 4], [1, 1, 6, 3], [5, 1, 1]])
  func `every cell comes once`(shape: [Int]) {
    let order = localityOrder(of: shape)
    #expect(order.count == shape.reduce(1, *))
    #expect(Set(order).count == order.count)
    #expect(order.allSatisfy { zip($0, shape).allSatisfy { 0 <= $0 && $0 < $1 } })
  }

  @Test func `the cells behind one coarser cell follow each other`() {
    for size in [2, 4] {
      let order = localityOrder(of: [8, 8, 8])
      let coarser = order.map { $0.map { $0 / size } }
      let changes = zip(coarser, coarser.dropFirst()).count { $0 != $1 }
      #expect(changes + 1 == Set(coarser).count)
    }
  }
}

import OMObjects
import TestSupport

/// In which order blocks are joined.
enum MergeShape: Sendable, CaseIterable {
  case atOnce
  /// One block after the other.
  case oneByOne
  /// Neighbouring blocks on the same rank, ranks joined pair by pair.
  case ranks(Int)
  /// Blocks dealt out like cards, ranks joined pair by pair.
  case scattered(Int)

  static let allCases: [MergeShape] = [
    .atOnce, .oneByOne, .ranks(2), .ranks(3), .ranks(5), .scattered(2), .scattered(3),
    .scattered(5), .ranks(1000),
  ]

  /// What is joined with what.
  indirect enum Plan {
    case blocks([Int])
    case groups([Plan])
  }

  func plan(_ count: Int) -> Plan {
    switch self {
    case .atOnce: return .blocks(Array(0..<count))
    case .oneByOne:
      return (0..<count).reduce(.blocks([])) { .groups([$0, .blocks([$1])]) }
    case .ranks(let ranks):
      let size = max(1, (count + ranks - 1) / ranks)
      return pairs(
        stride(from: 0, to: count, by: size).map {
          .blocks(Array($0..<min(count, $0 + size)))
        })
    case .scattered(let ranks):
      return pairs(
        (0..<ranks).map { rank in .blocks((0..<count).filter { $0 % ranks == rank }) })
    }
  }

  private func pairs(_ plans: [Plan]) -> Plan {
    var level = plans
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map {
        $0 + 1 < level.count ? .groups([level[$0], level[$0 + 1]]) : level[$0]
      }
    }
    return level.first ?? .blocks([])
  }
}

/// One join of a tree of joins.
final class MergeNode {
  let merge: GroupMerge
  private let children: [MergeNode]
  private let blocks: [Int]

  /// Joins from the leaves up.
  init(_ plan: MergeShape.Plan, _ openings: [BlockOpening], _ grid: BlockGrid, _ order: Int) {
    switch plan {
    case .blocks(let blocks):
      self.blocks = blocks
      children = []
      merge = GroupMerge(blocks.map { openings[$0].group }, in: grid, order: order)
    case .groups(let plans):
      blocks = []
      let nodes = plans.map { MergeNode($0, openings, grid, order) }
      children = nodes
      merge = GroupMerge(nodes.map(\.merge.open), in: grid, order: order)
    }
  }

  /// Hands the final facts down.
  ///
  /// - Parameters:
  ///   - final: The facts of what is open here.
  ///   - body: Gets a block, and the final facts of each component of its surface.
  func visit(_ final: [ComponentFacts], _ body: (Int, [ComponentFacts]) -> Void) {
    let facts = merge.resolvedFacts(final)
    for (place, block) in blocks.enumerated() {
      body(block, merge.joined(place).map { facts[Int($0)] })
    }
    for (place, child) in children.enumerated() {
      child.visit(merge.joined(place).map { facts[Int($0)] }, body)
    }
  }
}

import Glibc

extension LaunchCosts {
  /// Seconds to start and end ranks.
  ///
  /// Beyond what was measured the costs of a machine grow by the rank, and those of more machines with
  /// the depth of a tree.
  func start(ranks: Int, ranksPerNode: Int) -> Double {
    if ranks == 1 || self.ranks.isEmpty { return process }
    let local = figure(min(ranks, ranksPerNode), \.start) ?? process
    return local + depth(ranks, ranksPerNode) * messages
  }

  /// Seconds by which a run of an image takes longer on some ranks, because they talk to each other.
  func talk(ranks: Int, ranksPerNode: Int) -> Double {
    if ranks == 1 || self.ranks.isEmpty { return 0 }
    let local = (figure(min(ranks, ranksPerNode), \.run) ?? alone) - alone
    return max(0, local) + depth(ranks, ranksPerNode) * messages
  }

  /// How often the number of machines can be halved.
  private func depth(_ ranks: Int, _ ranksPerNode: Int) -> Double {
    let nodes = (ranks + ranksPerNode - 1) / max(1, ranksPerNode)
    return log2(Double(max(1, nodes))).rounded(.up)
  }

  /// What one step of a tree of ranks costs in a run of an image.
  private var messages: Double { max(0, (figure(2, \.run) ?? alone) - alone) }

  /// A measured figure for a number of ranks on one machine, or what lies between two of them.
  private func figure(_ count: Int, _ path: KeyPath<RankCosts, Double>) -> Double? {
    let known = ranks.sorted { $0.ranks < $1.ranks }
    guard let first = known.first, let last = known.last else { return nil }
    if count <= first.ranks || known.count == 1 { return first[keyPath: path] }
    let high = known.first { $0.ranks >= count } ?? last
    let low = known.last { $0.ranks < high.ranks } ?? first
    let slope =
      (high[keyPath: path] - low[keyPath: path]) / Double(max(1, high.ranks - low.ranks))
    return max(0, low[keyPath: path] + Double(count - low.ranks) * slope)
  }
}

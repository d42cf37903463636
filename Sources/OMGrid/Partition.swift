/// Who owns which piece of work: a pure function of the pieces' costs and the number of owners.
public struct Partition: Sendable, Equatable {
  /// The owner of each piece.
  public let owners: [Int]

  /// Cuts the pieces, in their order, into contiguous parts of about equal cost.
  ///
  /// Piece by piece the running cost decides: a piece goes to the part in which its middle lies.
  ///
  /// - Parameters:
  ///   - costs: The cost of each piece; negative costs count as 0.
  ///   - parts: The number of owners, at least 1.
  public init(costs: [Double], parts: Int) {
    let total = costs.reduce(0) { $0 + max(0, $1) }
    var sum = 0.0
    owners = costs.enumerated().map { index, cost in
      let middle = sum + max(0, cost) / 2
      sum += max(0, cost)
      let share = total > 0 ? middle / total : (Double(index) + 0.5) / Double(costs.count)
      return min(parts - 1, Int(share * Double(parts)))
    }
  }

  /// The pieces of one owner, in their order.
  public func pieces(of owner: Int) -> [Int] { owners.indices.filter { owners[$0] == owner } }
}

/// The cells of a grid in Z order (Morton 1966): neighbours in the list are neighbours in space, and
/// blocks of 2 × 2 × 2 cells stay together, so that the cells behind one cell of the next coarser
/// level are done one after another.
public func localityOrder(of gridShape: [Int]) -> [[Int]] {
  var positions: [(key: UInt128, position: [Int])] = []
  forEachPosition(in: Region(wholeOf: gridShape)) { position in
    positions.append((interleaved(position), position))
  }
  return positions.sorted { $0.key < $1.key }.map(\.position)
}

/// The bits of a position, highest first, one digit of all axes after the other; 25 bits of five
/// axes fit.
private func interleaved(_ position: [Int]) -> UInt128 {
  var key: UInt128 = 0
  for bit in (0..<25).reversed() {
    for place in position { key = key << 1 | UInt128(truncatingIfNeeded: place >> bit & 1) }
  }
  return key
}

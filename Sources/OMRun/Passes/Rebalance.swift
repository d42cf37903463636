import OMGrid
import OMJSON
import OMObjects

/// Moves regions between ranks before they are painted, so that all ranks stay busy when the
/// objects lie in one corner of the image.
///
/// *Collective*.
struct Rebalance {
  let communicator: any Communicator
  /// Painting less than this share above the mean is not worth a move.
  private static let tolerance = 0.05

  /// Moves what makes the loads even.
  ///
  /// - Parameters:
  ///   - own: The pieces of this rank.
  ///   - parts: Their blocks.
  ///   - costs: What it costs to paint them.
  /// - Returns: The pieces of this rank from now on, with their blocks.
  /// - Throws: What the communicator throws.
  func run(
    _ own: [Int], _ parts: [RegionParts], _ costs: [Double]
  ) throws(Fault) -> (own: [Int], parts: [RegionParts]) {
    if communicator.size == 1 { return (own, parts) }
    let moves = try Rebalance.moves(loads(own, costs))
    let leaving = moves.filter { $0.from == communicator.rank }
    var outgoing = Array(repeating: Packet(), count: communicator.size)
    for move in leaving {
      outgoing[move.to].write(UInt64(own[move.place]))
      parts[move.place].write(to: &outgoing[move.to])
    }
    let gone = Set(leaving.map(\.place))
    var pieces = own.indices.filter { !gone.contains($0) }.map { own[$0] }
    var kept = parts.indices.filter { !gone.contains($0) }.map { parts[$0] }
    for bytes in try communicator.exchange(outgoing.map(\.bytes)) {
      var reader = PacketReader(bytes)
      while !reader.isAtEnd {
        pieces.append(Int(try reader.read(UInt64.self)))
        kept.append(try RegionParts(&reader))
      }
    }
    return (pieces, kept)
  }

  /// The costs of all pieces, rank by rank, the same on every rank.
  private func loads(_ own: [Int], _ costs: [Double]) throws(Fault) -> [[Double]] {
    var packet = Packet()
    packet.write(costs)
    var loads: [[Double]] = []
    for bytes in try communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      loads.append(try reader.readArray(Double.self))
    }
    return loads
  }

  /// One piece that changes its rank.
  struct Move: Equatable {
    let from: Int
    /// The place of the piece in the list of its rank.
    let place: Int
    let to: Int
  }

  /// The moves that make the loads even, a function of the costs alone.
  ///
  /// Again and again the last piece of the busiest rank goes to the idlest one, as long as that
  /// makes the larger of their two loads smaller.
  static func moves(_ costs: [[Double]]) -> [Move] {
    var loads = costs.map { $0.reduce(0, +) }
    var remaining = costs.map(\.count)
    var moves: [Move] = []
    let mean = loads.reduce(0, +) / Double(max(1, loads.count))
    while let busiest = loads.indices.max(by: { loads[$0] < loads[$1] }),
      let idlest = loads.indices.min(by: { loads[$0] < loads[$1] }),
      loads[busiest] > mean * (1 + tolerance), remaining[busiest] > 0
    {
      let place = remaining[busiest] - 1
      let cost = costs[busiest][place]
      if loads[idlest] + cost >= loads[busiest] { break }
      remaining[busiest] -= 1
      loads[busiest] -= cost
      loads[idlest] += cost
      moves.append(Move(from: busiest, place: place, to: idlest))
    }
    return moves
  }
}

extension RegionParts {
  /// Adds the blocks to a message; surfaces have done their work by now.
  func write(to packet: inout Packet) {
    packet.write(droppedRuns)
    packet.write(UInt64(blocks.count))
    for block in blocks {
      packet.write(block.block)
      packet.write(block.rowStarts)
      packet.write(block.runs)
      packet.write(block.numbers)
    }
  }

  /// Reads what `write` wrote.
  init(_ reader: inout PacketReader) throws(Fault) {
    droppedRuns = try reader.read(Bool.self)
    for _ in 0..<(try reader.read(UInt64.self)) {
      blocks.append(
        LabelledBlock(
          block: try reader.read(Block.self), rowStarts: try reader.readArray(UInt32.self),
          runs: try reader.readArray(Run.self), numbers: try reader.readArray(UInt64.self)))
    }
  }

  /// What it costs to paint the blocks: the chunks that hold a run, roughly.
  ///
  /// - Parameter chunk: The voxels of a chunk along z, y and x.
  /// - Returns: The number of such chunks, and a little for each region.
  func paintingCost(chunk: Vector3) -> Double {
    blocks.reduce(0.01) { $0 + Double($1.occupiedChunks(chunk)) }
  }
}

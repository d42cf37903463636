import OMGrid
import OMJSON
import OMStore
import OMZarr

/// What the regions of an image cost to read, so that ranks get equal shares of the work and not
/// of the volume: chunks that are not stored cost next to nothing.
enum PieceCosts {
  /// The share of the cost that a voxel has that is not stored.
  private static let emptyShare = 0.05
  /// More keys than this are not looked at one by one.
  private static let keyLimit = 50_000

  /// The pieces with their costs by stored bytes.

  ///

  /// *Local*.
  static func measured(_ pieces: [Piece], of plans: [any ArrayPlan]) throws(Fault) -> [Piece] {
    let keys = plans.reduce(0) { $0 + $1.source.storedGrid.count }
    // Servers are not asked again: they have been for what the run is.
    if keys > keyLimit || plans.contains(where: { $0.source.store.isRemote }) { return pieces }
    var bytes: [Double] = []
    for piece in pieces { bytes.append(try storedBytes(piece, plans[piece.plan])) }
    let stored = bytes.reduce(0, +)
    let voxels = pieces.reduce(0) { $0 + $1.cost }
    if stored == 0 { return pieces }
    return pieces.indices.map { index in
      var piece = pieces[index]
      piece.cost =
        emptyShare * piece.cost + (1 - emptyShare) * bytes[index] * voxels / stored
      return piece
    }
  }

  /// The same on every rank; only rank 0 asks the store.

  ///

  /// *Collective*.
  static func shared(
    _ pieces: [Piece], of plans: [any ArrayPlan], _ engine: any Engine
  ) throws -> [Piece] {
    if engine.rankCount == 1 { return pieces }
    let known = try engine.agree {
      engine.rank == 0 ? try measured(pieces, of: plans) : pieces
    }
    var packet = Packet()
    packet.write(known.map(\.cost))
    var reader = PacketReader(try engine.communicator.broadcast(packet.bytes))
    let costs = try reader.readArray(Double.self)
    return zip(pieces, costs).map { piece, cost in
      var piece = piece
      piece.cost = cost
      return piece
    }
  }

  private static func storedBytes(_ piece: Piece, _ plan: any ArrayPlan) throws(Fault) -> Double {
    var total = 0
    for box in plan.sourceBoxes(of: piece.region) {
      try forEachPosition(in: plan.source.storedGrid.cells(touching: box)) {
        (position) throws(Fault) in
        total += try plan.source.store.stamp(plan.source.storedKey(position))?.size ?? 0
      }
    }
    return Double(total)
  }
}

import OMGrid
import OMImage
import OMJSON
import OMZarr
import Synchronization

// What a journal says is believed only as far as the staged files bear it out.

extension PastWork {
  /// The same without units whose files are not as they were noted, and without the pieces that lack
  /// one.
  ///
  /// Every staged file is read: a machine that lost power may have kept its size and lost its bytes.
  /// *Collective*; each rank reads a share.
  ///
  /// - Parameters:
  ///   - setup: The image.
  ///   - pieces: All pieces of work.
  ///   - committer: Where the files are.
  ///   - engine: The ranks.
  /// - Returns: What can be relied on, the same on every rank.
  /// - Throws: What the communicator throws.
  func verified(
    _ setup: ImageSetup, _ pieces: [Piece], _ committer: any Committer, _ engine: any Engine
  ) throws -> PastWork {
    if units.isEmpty && self.pieces.isEmpty { return self }
    let staged = share(of: engine.rank, of: engine.rankCount)
    let lost = Mutex<[UnitPlace]>([])
    try engine.agree {
      try engine.walk(staged.count, name: { "staged file \($0) of an earlier run" }) { index, _ in
        if try !isSound(staged[index], setup, committer) {
          lost.withLock { $0.append(staged[index].place) }
        }
      }
    }
    var packet = Packet()
    for place in lost.withLock({ $0 }) {
      for value in [place.plan, place.level, place.number] { packet.write(Int64(value)) }
    }
    var checked = self
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      while !reader.isAtEnd {
        checked.drop([
          UnitPlace(
            plan: Int(try reader.read(Int64.self)), level: Int(try reader.read(Int64.self)),
            number: Int(try reader.read(Int64.self)))
        ])
      }
    }
    checked.dropPieces { number in
      guard number < pieces.count else { return nil }
      let piece = pieces[number]
      // What a piece gave to coarser levels can be made of the source again.
      if !setup.plans[piece.plan].storesFinest { return [] }
      return setup.plans[piece.plan].units(of: piece).map {
        UnitPlace(plan: piece.plan, level: 0, number: $0)
      }
    }
    return checked
  }

  /// The units that one rank answers for.
  func share(of rank: Int, of ranks: Int) -> [StagedUnit] {
    units.values.filter { $0.place.number % ranks == rank }
  }

  /// Whether the file of a unit is as it was noted.
  private func isSound(
    _ unit: StagedUnit, _ setup: ImageSetup, _ committer: any Committer
  ) throws(Fault) -> Bool {
    guard let key = try setup.key(of: unit.place) else { return false }
    guard let size = unit.size else { return true }
    let (image, first) = setup.place(unit.place.plan)
    let found = committer.stage.checksum(
      key, label: committer.place(image),
      level: LabelDocuments.levelPath(first + unit.place.level))
    return found.map { $0 == (size, unit.checksum) } ?? false
  }

  /// The pieces with the cost of what is left to do, so that ranks share that.
  func cheapened(_ pieces: [Piece]) -> [Piece] {
    if isEmpty { return pieces }
    return pieces.indices.map { number in
      var piece = pieces[number]
      let work = { (pass: ImagePass) in WorkPlace(pass: pass, piece: number) }
      if [.mask, .labels, .tiles].contains(where: { self.pieces[work($0)] != nil }) {
        piece.cost *= 0.01
      } else if [.measure, .partials].contains(where: { partials[work($0)] != nil }) {
        piece.cost *= 0.01
      } else if partials[work(.objects)] != nil {
        piece.cost *= 0.5
      }
      return piece
    }
  }
}

extension ImageSetup {
  /// The key of a write unit below its level; nil when the layout has no such unit.
  func key(of place: UnitPlace) throws(Fault) -> String? {
    guard place.plan < plans.count else { return nil }
    let plan = plans[place.plan]
    let layouts = try plan.layouts(plan.expectedDataType)
    guard place.level < layouts.count else { return nil }
    let grid = layouts[place.level].unitGrid
    guard place.number < grid.count else { return nil }
    return layouts[place.level].unitKey(grid.position(of: place.number))
  }
}

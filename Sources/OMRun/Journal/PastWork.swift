import OMGrid
import OMJSON
import OMStore
import OMZarr

/// What earlier invocations of a run did, as their journals say.
struct PastWork: Sendable {
  /// A partial and the file it lies in.
  struct StoredPartial: Sendable, Equatable {
    let file: String
    let place: PartialPlace
  }

  /// The units that are staged or known to hold nothing.
  private(set) var units: [UnitPlace: StagedUnit] = [:]
  /// Partials by their piece of work.
  private(set) var partials: [WorkPlace: StoredPartial] = [:]
  /// The pieces of the last pass that are done, with their voxels.
  private(set) var pieces: [WorkPlace: VoxelCounts] = [:]
  /// Damaged chunks of the input.
  private(set) var damage: [[UInt8]] = []
  /// The parts of the first pass that are done.
  private(set) var parts: Set<WorkPart> = []
  /// Whether everything is staged, metadata included.
  private(set) var isComplete = false

  /// Nothing was done before.
  init() {}

  /// What the journals of earlier invocations say, the latest last.
  init(_ journals: [StageEntry.Journal]) {
    for journal in journals { add(journal.suffix, journal.bytes) }
  }

  /// Adds what one journal says.
  ///
  /// - Parameters:
  ///   - suffix: The end of the journal's name, which its partials share.
  ///   - bytes: The journal.
  mutating func add(_ suffix: String, _ bytes: [UInt8]) {
    for record in JournalForm.records(in: bytes) {
      switch record {
      case .begin: break
      case .unit(let unit): units[unit.place] = unit
      case .lost(let place): units[place] = nil
      case .partial(let work, let place):
        partials[work] = StoredPartial(file: JournalFiles.partials + suffix, place: place)
      case .piece(let work, let counts): pieces[work] = counts
      case .damage(let bytes): damage.append(bytes)
      case .part(let part): parts.insert(part)
      case .complete: isComplete = true
      }
    }
  }

  /// Forgets units that are not as they were noted.
  mutating func drop(_ lost: some Sequence<UnitPlace>) {
    for place in lost {
      units[place] = nil
      isComplete = false
    }
  }

  /// Forgets pieces of the last pass whose units are not all there.
  ///
  /// - Parameter unitsOf: The units of the finest level that a piece writes; nil for no piece.
  mutating func dropPieces(lacking unitsOf: (Int) -> [UnitPlace]?) {
    pieces = pieces.filter { work, _ in
      unitsOf(work.piece)?.allSatisfy { units[$0] != nil } ?? false
    }
  }

  /// Forgets what does not belong to some pieces, and all coarser levels.
  ///
  /// - Parameters:
  ///   - own: The pieces.
  ///   - finest: The units of the finest level that they write.
  mutating func keep(_ own: Set<Int>, finest: Set<UnitPlace>) {
    units = units.filter { finest.contains($0.key) }
    partials = partials.filter { own.contains($0.key.piece) }
    pieces = pieces.filter { own.contains($0.key.piece) }
    isComplete = false
  }

  /// The parts that are still to be done before the rest can be, in the cut that is nearest to its end;
  /// nil when no part was done yet.
  var missingParts: [WorkPart]? {
    Set(parts.map(\.count)).map { count in
      (0..<count).compactMap { WorkPart($0, of: count) }.filter { !parts.contains($0) }
    }.min { $0.count < $1.count }
  }

  /// Whether nothing was done before.
  var isEmpty: Bool { units.isEmpty && partials.isEmpty && pieces.isEmpty && !isComplete }
}

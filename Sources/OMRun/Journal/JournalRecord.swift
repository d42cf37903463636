import OMGrid
import OMJSON

/// One thing that a journal says was done.
enum JournalRecord: Sendable, Equatable {
  /// A process began to write this journal.
  case begin(JournalBegin)
  /// A write unit is staged, or is known to hold nothing.
  case unit(StagedUnit)
  /// A write unit that was noted before cannot be relied on any more.
  case lost(UnitPlace)
  /// The partial of a piece of work lies in the file of partials.
  case partial(WorkPlace, PartialPlace)
  /// A piece of the last pass is done, with so many voxels.
  case piece(WorkPlace, VoxelCounts)
  /// Damaged chunks of the input that count as fill value, packed.
  case damage([UInt8])
  /// All of the first pass that one of several processes had to do is done.
  case part(WorkPart)
  /// Everything is staged, metadata included.
  case complete
}

/// Who writes a journal, and since when.
struct JournalBegin: Sendable, Equatable {
  /// How often the run was begun before.
  let invocation: Int
  /// The rank.
  let rank: Int
  /// How many ranks there are.
  let ranks: Int
  /// When it began, in milliseconds since 1970 by the clock of the machine.
  let started: Int
  /// The machine.
  let host: String
}

/// A piece of work: a region in one pass.
struct WorkPlace: Hashable, Sendable {
  /// The pass.
  let pass: ImagePass
  /// The number of the piece, over all label images of the run.
  let piece: Int
}

/// Which write unit.
struct UnitPlace: Hashable, Sendable {
  /// The number of the label image.
  let plan: Int
  /// The level, 0 is the finest.
  let level: Int
  /// The number of the unit in the grid of write units.
  let number: Int
}

/// A write unit as it was staged.
struct StagedUnit: Sendable, Equatable {
  let place: UnitPlace
  /// Bytes of its file; nil when it holds nothing and has no file.
  let size: Int?
  /// CRC-32C of the bytes.
  let checksum: UInt32
}

/// Where the bytes of a partial lie.
struct PartialPlace: Sendable, Equatable {
  /// The first byte in the file of partials that belongs to the journal.
  let offset: Int
  let size: Int
  /// CRC-32C of the bytes.
  let checksum: UInt32
}

// MARK: - Bytes

extension JournalRecord {
  /// The number of the kind in the file.
  var kind: UInt8 {
    switch self {
    case .begin: 1
    case .unit: 2
    case .lost: 3
    case .partial: 4
    case .piece: 5
    case .damage: 6
    case .complete: 7
    case .part: 8
    }
  }

  /// What follows the kind in the file.
  var payload: [UInt8] {
    var packet = Packet()
    switch self {
    case .begin(let begin):
      for value in [begin.invocation, begin.rank, begin.ranks, begin.started] {
        packet.write(Int64(value))
      }
      packet.write(Array(begin.host.utf8))
    case .unit(let unit):
      packet.write(unit.place)
      packet.write(Int64(unit.size ?? -1))
      packet.write(unit.checksum)
    case .lost(let place):
      packet.write(place)
    case .partial(let work, let place):
      packet.write(work)
      packet.write(Int64(place.offset))
      packet.write(Int64(place.size))
      packet.write(place.checksum)
    case .piece(let work, let counts):
      packet.write(work)
      packet.write(Int64(counts.processed))
      packet.write(Int64(counts.foreground))
    case .damage(let bytes):
      packet.write(bytes)
    case .part(let part):
      packet.write(Int64(part.index))
      packet.write(Int64(part.count))
    case .complete:
      break
    }
    return packet.bytes
  }

  /// Reads a record; nil when its kind is not known or the bytes do not fit it.
  init?(kind: UInt8, payload: [UInt8]) {
    var reader = PacketReader(payload)
    do {
      guard let record = try JournalRecord.read(kind, &reader), reader.isAtEnd else { return nil }
      self = record
    } catch {
      return nil
    }
  }

  private static func read(
    _ kind: UInt8, _ reader: inout PacketReader
  ) throws(Fault) -> JournalRecord? {
    switch kind {
    case 1:
      return .begin(
        JournalBegin(
          invocation: min(try reader.readCount(), Int(UInt32.max)), rank: try reader.readCount(),
          ranks: try reader.readCount(), started: try reader.readCount(),
          host: String(decoding: try reader.readBytes(), as: UTF8.self)))
    case 2:
      let place = try reader.readUnit()
      let size = Int(try reader.read(Int64.self))
      return .unit(
        StagedUnit(
          place: place, size: size < 0 ? nil : size, checksum: try reader.read(UInt32.self)))
    case 3: return .lost(try reader.readUnit())
    case 4:
      guard let work = try reader.readWork() else { return nil }
      return .partial(
        work,
        PartialPlace(
          offset: try reader.readCount(), size: try reader.readCount(),
          checksum: try reader.read(UInt32.self)))
    case 5:
      guard let work = try reader.readWork() else { return nil }
      return .piece(
        work,
        VoxelCounts(processed: try reader.readCount(), foreground: try reader.readCount()))
    case 6: return .damage(try reader.readBytes())
    case 7: return .complete
    case 8: return WorkPart(try reader.readCount(), of: try reader.readCount()).map(Self.part)
    default: return nil
    }
  }
}

extension Packet {
  fileprivate mutating func write(_ place: UnitPlace) {
    for value in [place.plan, place.level, place.number] { write(Int64(value)) }
  }

  fileprivate mutating func write(_ work: WorkPlace) {
    write(work.pass.code)
    write(Int64(work.piece))
  }
}

extension PacketReader {
  fileprivate mutating func readUnit() throws(Fault) -> UnitPlace {
    UnitPlace(plan: try readCount(), level: try readCount(), number: try readCount())
  }

  fileprivate mutating func readWork() throws(Fault) -> WorkPlace? {
    guard let pass = ImagePass(code: try read(UInt8.self)) else { return nil }
    return WorkPlace(pass: pass, piece: try readCount())
  }
}

extension ImagePass {
  /// The number of the pass in journals; never used for another one.
  fileprivate var code: UInt8 {
    switch self {
    case .statistics: 1
    case .statisticsInRange: 2
    case .mask: 3
    case .objects: 4
    case .labels: 5
    case .tiles: 6
    case .measure: 7
    case .program: 8
    case .holes: 9
    case .partials: 10
    }
  }

  fileprivate init?(code: UInt8) {
    guard let pass = ImagePass.allCases.first(where: { $0.code == code }) else { return nil }
    self = pass
  }
}

import CSys
import OMGrid
import OMJSON
import OMStore
import OMZarr
import Synchronization

/// The memory of a run: what earlier invocations did, and what this one does.
///
/// Passes ask it before a piece of work and tell it afterwards. Calls are local and may come from any
/// thread.
final class Checkpoint: Sendable {
  private struct State {
    /// The units of this rank, those of earlier invocations that it answers for included.
    var units: [StagedUnit]
    /// Pieces of the last pass that this rank did in this invocation.
    var pieces: [Int] = []
    /// How many damaged chunks were noted.
    var damageCount = 0
  }

  /// What was done before.
  let past: PastWork
  private let stage: Stage
  private let writer: JournalWriter?
  private let damage: DamageLog?
  private let state: Mutex<State>

  /// Makes the memory of a run on one rank.
  ///
  /// - Parameters:
  ///   - past: What was done before.
  ///   - answersFor: The units among them that this rank waits for until they are on the disk.
  ///   - stage: Where results grow.
  ///   - writer: Takes notes; nil for images so small that nothing is worth noting.
  ///   - damage: Damaged chunks that count as fill value.
  init(
    past: PastWork, answersFor: [StagedUnit], stage: Stage, writer: JournalWriter?,
    damage: DamageLog?
  ) {
    self.past = past
    self.stage = stage
    self.writer = writer
    self.damage = damage
    state = Mutex(State(units: answersFor))
  }

  /// The units that this rank staged or answers for.
  var units: [StagedUnit] { state.withLock { $0.units } }

  /// The pieces of the last pass that this rank did in this invocation.
  var pieces: [Int] { state.withLock { $0.pieces } }

  /// Whether a piece of the last pass was done before.
  func isDone(_ pass: ImagePass, _ piece: Int) -> Bool {
    past.pieces[WorkPlace(pass: pass, piece: piece)] != nil
  }

  /// The voxels of a piece that was done before.
  func counts(_ pass: ImagePass, _ piece: Int) -> VoxelCounts {
    past.pieces[WorkPlace(pass: pass, piece: piece)] ?? VoxelCounts()
  }

  /// The partial of a piece that was found before; nil when there is none or it is not as it was.
  func partial(_ pass: ImagePass, _ piece: Int) -> [UInt8]? {
    guard let stored = past.partials[WorkPlace(pass: pass, piece: piece)] else { return nil }
    let place = stored.place
    guard let bytes = try? stage.read(stored.file, at: place.offset, count: place.size),
      bytes.withUnsafeBytes({ om_crc32c(0, $0.baseAddress, $0.count) }) == place.checksum
    else { return nil }
    return bytes
  }

  /// The statistics of a piece that were taken before.
  func statistics(_ pass: ImagePass, _ piece: Int) -> StatisticsTable? {
    partial(pass, piece).flatMap { try? StatisticsTable(unpacking: $0) }
  }

  /// Keeps the partial of a piece.
  ///
  /// - Parameters:
  ///   - pass: The pass.
  ///   - piece: The piece.
  ///   - limit: More bytes than this are not worth keeping: finding them again is cheaper.
  ///   - bytes: Makes the bytes of the partial.
  /// - Throws: What writing throws.
  func keep(
    _ pass: ImagePass, _ piece: Int, limit: Int, _ bytes: () -> [UInt8]
  ) throws(Fault) {
    guard let writer else { return }
    let bytes = bytes()
    if bytes.count > limit { return }
    let place = try writer.store(bytes)
    noteDamage(writer)
    try writer.flush([.partial(WorkPlace(pass: pass, piece: piece), place)])
  }

  /// Notes a finished write unit; nil bytes stand for one that holds nothing.
  func published(_ place: UnitPlace, _ bytes: UnsafeRawBufferPointer?) {
    let unit = StagedUnit(
      place: place, size: bytes?.count,
      checksum: bytes.map { om_crc32c(0, $0.baseAddress, $0.count) } ?? 0)
    state.withLock { $0.units.append(unit) }
    writer?.add(.unit(unit))
  }

  /// Notes that a piece of the last pass is done.
  func finish(_ pass: ImagePass, _ piece: Int, _ counts: VoxelCounts = VoxelCounts()) throws(Fault)
  {
    state.withLock { $0.pieces.append(piece) }
    guard let writer else { return }
    noteDamage(writer)
    try writer.flush([.piece(WorkPlace(pass: pass, piece: piece), counts)])
  }

  /// Writes what was noted.
  func flush() throws(Fault) { try writer?.flush() }

  /// Notes that a unit cannot be relied on.
  func lose(_ place: UnitPlace) { try? writer?.flush([.lost(place)]) }

  /// Notes that everything is staged, metadata included.
  func complete() throws(Fault) { try writer?.flush([.complete]) }

  /// Notes that a part of the first pass is done, and writes nothing more.
  func finish(_ part: WorkPart) throws(Fault) {
    guard let writer else { return }
    noteDamage(writer)
    try writer.close([.part(part)])
  }

  private func noteDamage(_ writer: JournalWriter) {
    guard let content = damage?.content else { return }
    let isNews = state.withLock { state in
      defer { state.damageCount = content.count }
      return state.damageCount != content.count
    }
    if isNews { writer.add(.damage(content.packed())) }
  }
}

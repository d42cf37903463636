import OMCodecs
import OMGrid
import OMJSON
import OMTask
import OMZarr
import Synchronization

/// Writes a label image with all its levels while the finest level is being made.
///
/// A finished chunk is encoded while it is in cache, and the voxels that it gives to the next
/// level go there at once, level by level. A write unit is published when its last chunk is
/// there, by whichever worker brings it. Nothing is read back: units whose chunks come from
/// several ranks are left to `LevelCompletion`.
final class PyramidWriter: Sendable {
  /// Publishes a finished write unit: level, position of the unit, bytes; nil when it holds nothing.
  typealias Publish = @Sendable (Int, [Int], UnsafeRawBufferPointer?) throws(Fault) -> Void

  let layouts: [ArrayLayout]
  let downsampling: Downsampling
  /// Whether the finest level is written; otherwise its voxels only go to coarser levels.
  let storesFinest: Bool
  private let levels: Mutex<[LevelState]>
  private let steps: [Downsampler]
  private let publish: Publish

  /// Makes a writer.
  ///
  /// - Parameters:
  ///   - layouts: The levels, finest first; all of one type.
  ///   - ratios: For each level but the first, pixel size over that of the finer one, per axis.
  ///   - downsampling: How coarser levels are made.
  ///   - finished: For each level the numbers of write units that were published before.
  ///   - storesFinest: Whether the finest level is written.
  ///   - publish: Takes finished write units; called from any worker.
  init(
    layouts: [ArrayLayout], ratios: [[Double]], downsampling: Downsampling,
    finished: [Set<Int>] = [], storesFinest: Bool = true, publish: @escaping Publish
  ) {
    self.layouts = layouts
    self.storesFinest = storesFinest
    self.downsampling = downsampling
    self.publish = publish
    var states: [LevelState] = []
    var steps: [Downsampler] = []
    for (index, layout) in layouts.enumerated() {
      var windows: [Windows]?
      if index > 0 {
        let finer = layouts[index - 1].shape
        let between = (0..<finer.count).map {
          Windows(fine: finer[$0], coarse: layout.shape[$0], ratio: ratios[index - 1][$0])
        }
        windows = between
        steps.append(Downsampler(method: downsampling, windows: between))
      }
      states.append(LevelState(layout: layout, windows: windows))
    }
    self.steps = steps
    PyramidWriter.close(&states, steps, finished)
    levels = Mutex(states)
  }

  /// Notes what was published before.
  ///
  /// Units of coarser levels that need voxels of it cannot be made on the way any more: they take
  /// nothing, and `LevelCompletion` makes them.
  private static func close(
    _ states: inout [LevelState], _ steps: [Downsampler], _ finished: [Set<Int>]
  ) {
    guard finished.contains(where: { !$0.isEmpty }) else { return }
    for (level, numbers) in finished.enumerated() where level < states.count {
      states[level].finished = numbers
      states[level].closed.formUnion(numbers)
      guard level + 1 < states.count else { return }
      let (state, coarser) = (states[level], states[level + 1].units)
      for number in state.closed {
        let unit = state.units.region(at: state.units.position(of: number))
        let box = steps[level].coarser(touching: unit)
        forEachPosition(in: coarser.cells(touching: box)) {
          states[level + 1].closed.insert(coarser.number(at: $0))
        }
      }
    }
  }

  /// The step from a level to the next coarser one.
  func step(from level: Int) -> Downsampler { steps[level] }

  /// Takes one whole chunk of a level (cut to the array), or nil for a chunk of zeros.
  ///
  /// - Parameters:
  ///   - level: The level, 0 is the finest.
  ///   - position: The chunk's position in the grid of chunks.
  ///   - voxels: The full chunk in C order, zeros beyond the edge of the array.
  ///   - worker: The worker at hand.
  ///   - cascades: Whether the next levels get their voxels from it.
  /// - Throws: What encoding or publishing throws.
  func take(
    level: Int, chunk position: [Int], voxels: UnsafeRawPointer?, worker: Worker,
    cascades: Bool = true
  ) throws {
    let facts = chunkFacts(level, position)
    let bytes = facts.encoder.decodedByteCount
    let voxels = voxels.flatMap {
      isZero(UnsafeRawBufferPointer(start: $0, count: bytes)) ? nil : $0
    }
    if level > 0 || storesFinest {
      var encoded: UnsafeRawBufferPointer?
      if let voxels {
        worker.encoded.removeAll()
        _ = try facts.encoder.encode(voxels, onto: worker.encoded, using: worker.codecs)
        encoded = worker.encoded.bytes
      }
      if let done = store(level, facts, encoded) { try finish(level, facts.unit, done) }
    }
    guard cascades, level + 1 < layouts.count else { return }
    guard let coarse = coarserBox(level, facts.region) else { return }
    if coarse.isEmpty { return }
    try passOn(level, facts.region, coarse, voxels, worker)
  }

  /// Makes the voxels of the next level and brings them to their chunks.
  private func passOn(
    _ level: Int, _ fine: Region, _ coarse: Region, _ voxels: UnsafeRawPointer?, _ worker: Worker
  ) throws {
    guard let voxels else { return try bring(level + 1, coarse, nil, worker) }
    let byteCount = layouts[level].dataType.byteCount
    try worker.withPiece { piece in
      let room = piece.replace(byteCount: coarse.count * byteCount)
      guard let target = room.baseAddress else { return }
      steps[level].make(
        coarse, target, from: fine, voxels, bufferShape: layouts[level].chunkShape,
        dataType: layouts[level].dataType)
      try bring(level + 1, coarse, isZero(piece.bytes) ? nil : UnsafeRawPointer(target), worker)
    }
  }

  /// Brings a box of voxels (C order) to the chunks of a level; nil stands for zeros.
  private func bring(
    _ level: Int, _ box: Region, _ voxels: UnsafeRawPointer?, _ worker: Worker
  ) throws {
    let grid = levels.withLock { $0[level].chunks }
    let byteCount = layouts[level].dataType.byteCount
    try forEachPosition(in: grid.cells(touching: box)) { position in
      if levels.withLock({ $0[level].isClosed(chunk: position) }) { return }
      let cell = grid.region(at: position)
      guard let part = cell.intersection(box) else { return }
      let number = grid.number(at: position)
      let chunk = partialChunk(level, number, voxelCount: cell.count)
      if let voxels {
        let bytes = grid.cellShape.reduce(1, *) * byteCount
        let room = levels.withLock { _ in Address(chunk.room(byteCount: bytes)) }
        VoxelBox(
          region: Region(origin: cell.origin, shape: grid.cellShape), start: room.pointer,
          elementByteCount: byteCount
        ).copy(from: voxels, box)
      }
      if countDown(level, number, chunk, by: part.count) {
        try take(
          level: level, chunk: position, voxels: chunk.voxels.map { UnsafeRawPointer($0) },
          worker: worker)
      }
    }
  }

  private func partialChunk(_ level: Int, _ number: Int, voxelCount: Int) -> PartialChunk {
    levels.withLock { levels in
      if let known = levels[level].partial[number] { return known }
      let fresh = PartialChunk(missing: voxelCount)
      levels[level].partial[number] = fresh
      return fresh
    }
  }

  /// Counts voxels that arrived; true when they were the last of the chunk.
  private func countDown(
    _ level: Int, _ number: Int, _ chunk: PartialChunk, by count: Int
  ) -> Bool {
    levels.withLock { levels in
      chunk.missing -= count
      if chunk.missing > 0 { return false }
      levels[level].partial[number] = nil
      return true
    }
  }

  /// Puts an encoded chunk into its unit; returns the unit when it was the last.
  private func store(
    _ level: Int, _ facts: ChunkFacts, _ encoded: UnsafeRawBufferPointer?
  ) -> OpenUnit? {
    levels.withLock { levels in
      let number = levels[level].units.number(at: facts.unit)
      let unit: OpenUnit
      if let known = levels[level].open[number] {
        unit = known
      } else {
        unit = levels[level].idle.popLast() ?? OpenUnit(layout: layouts[level])
        unit.missing = levels[level].chunkCount(ofUnit: facts.unit)
        levels[level].open[number] = unit
      }
      if let encoded { unit.assembler.add(chunkAt: facts.inUnit, encoded: encoded) }
      unit.missing -= 1
      if unit.missing > 0 { return nil }
      levels[level].open[number] = nil
      levels[level].finished.insert(number)
      return unit
    }
  }

  private func finish(_ level: Int, _ unit: [Int], _ open: OpenUnit) throws {
    try publish(level, unit, open.assembler.finish())
    open.assembler.begin()
    levels.withLock { $0[level].idle.append(open) }
  }

  /// The next coarser voxels that a box of a level makes alone, or nil when windows cross its edge.
  private func coarserBox(_ level: Int, _ fine: Region) -> Region? {
    var coarse = fine
    for axis in 0..<fine.rank {
      let range = fine.origin[axis]..<fine.end(axis)
      guard let part = steps[level].windows[axis].coarser(of: range) else { return nil }
      coarse.origin[axis] = part.lowerBound
      coarse.shape[axis] = part.count
    }
    return coarse
  }

  /// An address that leaves a lock; what it points to has the rule of `PartialChunk`.
  private struct Address: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }
  }

  private struct ChunkFacts: Sendable {
    let region: Region
    let unit: [Int]
    let inUnit: [Int]
    let encoder: ChunkEncoder
  }

  private func chunkFacts(_ level: Int, _ position: [Int]) -> ChunkFacts {
    levels.withLock { levels in
      let state = levels[level]
      let unit = state.unit(ofChunk: position)
      let inUnit = (0..<position.count).map {
        position[$0] - unit[$0] * (state.units.cellShape[$0] / state.chunks.cellShape[$0])
      }
      return ChunkFacts(
        region: state.chunks.region(at: position), unit: unit, inUnit: inUnit,
        encoder: state.encoder)
    }
  }

  /// The write units of a level that this process finished.
  func finishedUnits(_ level: Int) -> Set<Int> { levels.withLock { $0[level].finished } }

  /// Forgets the unfinished parts of a level.
  func forgetParts(_ level: Int) {
    levels.withLock {
      $0[level].partial = [:]
      $0[level].open = [:]
    }
  }
}

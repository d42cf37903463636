import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr

/// Makes the write units of coarser levels that no rank could finish alone while the finest level
/// was made: those behind regions of several ranks, and levels whose windows cross chunk borders.
///
/// They are made level by level from the staged level before, so every unit has one writer.
/// *Collective*.
struct LevelCompletion: Sendable {
  let writer: PyramidWriter
  let engine: any Engine
  /// Opens the staged array of a level for reading.
  let staged: @Sendable (Int) throws -> ZarrArray
  /// Takes damaged chunks of a finest level that is read and not written.
  var damage: DamageLog?
  /// Called after every unit that was made.
  var unitIsDone: @Sendable () throws -> Void = {}

  /// Voxels of the finer level that are read at once, unless one window has more.
  static let boxVoxels = 1 << 22

  /// Makes what is missing of all levels.
  func run() throws {
    for level in 1..<max(1, writer.layouts.count) {
      let missing = try missingUnits(level)
      if missing.isEmpty { continue }
      writer.forgetParts(level)
      engine.work.enter(SimulatedStage.levels)
      // The level before is complete on every rank, or this rank would wait in the exchange.
      let source = try engine.agree { try staged(level - 1) }
      let own = missing.indices.filter { $0 % engine.rankCount == engine.rank }
      try engine.agree {
        let name: @Sendable (Int) -> String = { "unit \(missing[own[$0]]) of level \(level)" }
        try engine.walk(own.count, name: name) { index, worker in
          try make(level, missing[own[index]], source, worker)
          try unitIsDone()
        }
      }
    }
  }

  /// The units of a level that no rank finished, the same list on every rank.
  private func missingUnits(_ level: Int) throws(Fault) -> [[Int]] {
    let grid = writer.layouts[level].unitGrid
    var packet = Packet()
    packet.write(writer.finishedUnits(level).map { UInt64($0) })
    var finished: Set<UInt64> = []
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      finished.formUnion(try reader.readArray(UInt64.self))
    }
    return (0..<grid.count).filter { !finished.contains(UInt64($0)) }.map(grid.position(of:))
  }

  private func make(
    _ level: Int, _ unit: [Int], _ source: ZarrArray, _ worker: Worker
  ) throws {
    let layout = writer.layouts[level]
    let step = writer.step(from: level - 1)
    let chunks = ChunkGrid(arrayShape: layout.shape, cellShape: layout.chunkShape)
    let byteCount = layout.dataType.byteCount
    // Not one of the worker's readers of the input: staged chunks do not count as read.
    let isInput = level == 1 && !writer.storesFinest
    let reader = ChunkReader(source, context: worker.codecs, damage: isInput ? damage : nil)
    try forEachPosition(in: chunks.cells(touching: layout.unitGrid.region(at: unit))) { position in
      let full = worker.chunk.replace(byteCount: layout.chunkShape.reduce(byteCount, *))
      guard let chunk = full.baseAddress else { return }
      full.initializeMemory(as: UInt8.self, repeating: 0)
      let cell = chunks.region(at: position)
      let target = VoxelBox(
        region: Region(origin: cell.origin, shape: layout.chunkShape), start: chunk,
        elementByteCount: byteCount)
      for box in parts(of: cell, step) {
        let fine = fineBox(box, step)
        let input = worker.voxels.replace(byteCount: fine.count * byteCount)
        guard let voxels = input.baseAddress else { return }
        try reader.read(fine, into: voxels)
        if isZero(UnsafeRawBufferPointer(input)) { continue }
        worker.withPiece { piece in
          guard let made = piece.replace(byteCount: box.count * byteCount).baseAddress else {
            return
          }
          step.make(
            box, made, from: fine, voxels, bufferShape: fine.shape, dataType: layout.dataType)
          target.copy(from: made, box)
        }
      }
      try writer.take(
        level: level, chunk: position, voxels: chunk, worker: worker, cascades: false)
    }
  }

  /// A chunk in parts whose finer voxels fit in memory.
  private func parts(of box: Region, _ step: Downsampler) -> [Region] {
    let axis = box.shape.indices.max { box.shape[$0] < box.shape[$1] } ?? 0
    if fineBox(box, step).count <= Self.boxVoxels || box.shape[axis] < 2 { return [box] }
    var halves = [box, box]
    halves[0].shape[axis] /= 2
    halves[1].origin[axis] += halves[0].shape[axis]
    halves[1].shape[axis] -= halves[0].shape[axis]
    return halves.flatMap { parts(of: $0, step) }
  }

  /// The box of the finer level that makes a box of the coarser one.
  private func fineBox(_ box: Region, _ step: Downsampler) -> Region {
    var fine = box
    for axis in 0..<box.rank {
      let first = step.windows[axis].window(box.origin[axis])
      let last = step.windows[axis].window(box.end(axis) - 1)
      fine.origin[axis] = first.lowerBound
      fine.shape[axis] = last.upperBound - first.lowerBound
    }
    return fine
  }
}

import OMCodecs
import OMGrid
import OMJSON
import OMTask
import OMZarr
import TestSupport
import Testing

@testable import OMRun

/// A small label image with its levels.
struct Pyramid: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let shapes: [[Int]]
  let ratios: [[Double]]
  let layouts: [ArrayLayout]

  /// Levels of which the later ones are made in different ways.
  static let all: [Pyramid] = [
    Pyramid("halves of even chunks", [[16, 24], [8, 12], [4, 6]], [4, 6], nil, [2, 2]),
    Pyramid("halves of odd chunks", [[15, 21], [8, 11], [4, 6]], [5, 3], nil, [2, 2]),
    Pyramid("halves rounded down", [[15, 21], [7, 10], [3, 5]], [4, 4], nil, [2, 2]),
    Pyramid("shards", [[16, 21], [8, 11], [4, 6]], [2, 4], [8, 8], [2, 2]),
    Pyramid("thirds that cross chunks", [[17, 20], [6, 7]], [4, 4], nil, [3, 3]),
    Pyramid("windows of unequal length", [[10, 13], [7, 9]], [4, 4], [4, 8], [1.43, 1.43]),
    Pyramid("planes", [[3, 9, 10], [3, 5, 5], [3, 3, 3]], [1, 4, 4], [2, 4, 8], [1, 2, 2]),
    Pyramid("axes of size 1", [[1, 1, 9], [1, 1, 5]], [1, 3, 4], nil, [1, 2, 2]),
    Pyramid("one level", [[5, 7]], [2, 3], [4, 3], [1, 1]),
  ].compactMap { $0 }

  private init?(
    _ name: String, _ shapes: [[Int]], _ chunk: [Int], _ shard: [Int]?, _ ratio: [Double]
  ) {
    testDescription = name
    self.shapes = shapes
    ratios = shapes.dropFirst().map { _ in ratio }
    let layouts = shapes.compactMap { shape in
      try? ArrayLayout(
        zarrFormat: 3, shape: shape, dataType: .uint16, chunkShape: chunk, shardShape: shard,
        compression: .gzip(level: 1))
    }
    if layouts.count < shapes.count { return nil }
    self.layouts = layouts
  }

  /// Labels of which many neighbours are equal.
  func voxels(seed: UInt64) -> [UInt16] {
    var random = SplitMix(seed: seed)
    return (0..<shapes[0].reduce(1, *)).map { _ in
      let value = random.next() % 6
      return value < 3 ? 0 : UInt16(value * 300)
    }
  }

  /// All levels, each made as a whole.
  func levels(_ voxels: [UInt16], _ downsampling: Downsampling) -> [[UInt16]] {
    var levels = [voxels]
    for level in shapes.indices.dropFirst() {
      let windows = shapes[level].indices.map {
        Windows(
          fine: shapes[level - 1][$0], coarse: shapes[level][$0], ratio: ratios[level - 1][$0])
      }
      var made = [UInt16](repeating: 0, count: shapes[level].reduce(1, *))
      made.withUnsafeMutableBytes { made in
        levels[level - 1].withUnsafeBytes { finer in
          if let target = made.baseAddress, let source = finer.baseAddress {
            Downsampler(method: downsampling, windows: windows).make(
              Region(wholeOf: shapes[level]), target, from: Region(wholeOf: shapes[level - 1]),
              source, bufferShape: shapes[level - 1], dataType: .uint16)
          }
        }
      }
      levels.append(made)
    }
    return levels
  }

  func chunks(_ level: Int) -> ChunkGrid {
    ChunkGrid(arrayShape: shapes[level], cellShape: layouts[level].chunkShape)
  }

  func key(_ level: Int, unit: Int) -> String {
    "\(level)/" + layouts[level].unitKey(layouts[level].unitGrid.position(of: unit))
  }

  func writer(
    _ downsampling: Downsampling, _ store: PublishedUnits, finished: [Set<Int>] = []
  ) -> PyramidWriter {
    let layouts = layouts
    return PyramidWriter(
      layouts: layouts, ratios: ratios, downsampling: downsampling, finished: finished
    ) {
      level, unit, bytes throws(Fault) in
      store.publish("\(level)/" + layouts[level].unitKey(unit), bytes)
    }
  }

  /// Brings one chunk of the finest level.
  func bring(
    _ voxels: [UInt16], _ position: [Int], _ writer: PyramidWriter, _ worker: Worker
  ) throws {
    let grid = chunks(0)
    let cell = grid.region(at: position)
    let box = Region(origin: cell.origin, shape: grid.cellShape)
    var chunk = [UInt16](repeating: 0, count: box.count)
    try chunk.withUnsafeMutableBytes { chunk in
      try voxels.withUnsafeBytes { voxels in
        guard let target = chunk.baseAddress, let source = voxels.baseAddress else { return }
        VoxelBox(region: box, start: target, elementByteCount: 2).copy(
          from: source, Region(wholeOf: shapes[0]))
        try writer.take(level: 0, chunk: position, voxels: target, worker: worker)
      }
    }
  }

  /// Writes all levels; what windows across chunks leave unfinished is completed.
  func write(
    _ voxels: [UInt16], _ downsampling: Downsampling, _ order: ChunkOrder
  ) throws -> PublishedUnits {
    let store = PublishedUnits(self)
    let writer = writer(downsampling, store)
    let grid = chunks(0)
    var numbers = Array(0..<grid.count)
    var random = SplitMix(seed: 4)
    if order == .reversed { numbers.reverse() }
    if order == .shuffled || order == .threads { numbers.shuffle(using: &random) }
    let engine = ThreadEngine(threads: order == .threads ? 4 : 1)
    try engine.walk(numbers.count) { [numbers] index, worker in
      try bring(voxels, grid.position(of: numbers[index]), writer, worker)
    }
    try LevelCompletion(writer: writer, engine: engine) { level in
      try ZarrArray.open(store.store, path: "\(level)")
    }.run()
    return store
  }

  /// The voxels of a level as a reader sees them.
  func read(_ store: PublishedUnits, _ level: Int) throws -> [UInt16] {
    let array = try ZarrArray.open(store.store, path: "\(level)")
    var voxels = [UInt16](repeating: 0, count: shapes[level].reduce(1, *))
    try voxels.withUnsafeMutableBytes { voxels in
      let target = try #require(voxels.baseAddress)
      try ChunkReader(array, context: CodecContext()).read(
        Region(wholeOf: shapes[level]), into: target)
    }
    return voxels
  }
}

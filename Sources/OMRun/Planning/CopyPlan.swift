import OMCodecs
package import OMGrid
import OMImage
package import OMJSON
package import OMTask
package import OMZarr

/// One level of a copy of an image, stored in another way; the last one may bring coarser levels that
/// the image lacks.
package struct CopyPlan: ArrayPlan {
  package let name: String
  /// The level of the image, and of the copy.
  let level: Int
  package let sources: [ZarrArray]
  package let grid: RegionGrid
  /// How the level is stored, and behind it those that are made of it.
  let layouts: [ArrayLayout]
  package let ratios: [[Double]]
  package let downsampling: Downsampling
  /// The axes of the copy.
  let order: AxisOrder
  /// Takes damaged chunks of the source; nil makes them faults.
  let damage: DamageLog?
  /// The chunks of the source, in axes of the copy.
  private let sourceChunk: [Int]

  /// Lays out a level.
  ///
  /// - Parameters:
  ///   - name: The name of the copy.
  ///   - level: The level.
  ///   - source: Its array.
  ///   - levels: The level and those that are made of it, at least one.
  ///   - downsampling: How these are made.
  ///   - order: The axes of the copy.
  ///   - growth: How many write units make a region.
  ///   - damage: Takes damaged chunks of the source.
  init(
    name: String, level: Int, source: ZarrArray, levels: [CopiedLevel],
    downsampling: Downsampling, order: AxisOrder, growth: RegionGrowth, damage: DamageLog?
  ) {
    precondition(!levels.isEmpty, "a copy has at least the level that is copied")
    self.name = name
    self.level = level
    sources = [source]
    layouts = levels.map(\.layout)
    ratios = zip(levels.dropFirst(), levels).map { coarse, fine in
      zip(coarse.scale, fine.scale).map { $0 / $1 }
    }
    self.downsampling = downsampling
    self.order = order
    self.damage = damage
    sourceChunk = order.values(source.metadata.innerChunkShape, new: 1)
    let space = order.axes.count { $0.kind == .space }
    grid = RegionGrid(
      shape: levels[0].layout.shape, unit: levels[0].layout.writeUnitShape, spatialAxes: space,
      growth: growth)
  }

  /// How the level that is copied is stored.
  var layout: ArrayLayout { layouts[0] }

  package var title: String { "level \(level) of image \(name)" }
  package var expectedDataType: DataType { layout.dataType }
  package var findsObjects: Bool { false }
  package var shrinking: Int { 1 }
  package var processedVoxels: Int { layout.shape.reduce(1, *) }

  package func layouts(_ dataType: DataType) throws(Fault) -> [ArrayLayout] { layouts }
  package func sourceBoxes(of region: Region) -> [Region] { [sourceBox(of: region)] }
  package func decodings(memory: Int) -> Double { 1 }
  package func passes(memory: Int, preset: Bool) -> [ImagePass] { [.tiles] }

  /// The voxels of the image that a box of the copy has.
  func sourceBox(of region: Region) -> Region {
    let rank = source.metadata.shape.count
    return Region(
      origin: order.sourceValues(region.origin, rank: rank, dropped: 0),
      shape: order.sourceValues(region.shape, rank: rank, dropped: 1))
  }

  /// Brings a box from the order of the image to that of the copy; nil when both are the same.
  func transposition(_ region: Region) -> Transposition? {
    let known = order.sources.indices.filter { order.sources[$0] != nil }
    let new = order.sources.indices.filter { order.sources[$0] == nil }
    let stored = known.sorted { (order.sources[$0] ?? 0) < (order.sources[$1] ?? 0) }
    return Transposition(order: new + stored, chunkShape: region.shape)
  }

  /// Whether no chunk of the source has voxels in two chunks of the copy: then each chunk can be
  /// copied while it is in the cache.
  var copiesByChunk: Bool {
    zip(layout.chunkShape, zip(sourceChunk, layout.shape)).allSatisfy { copy, pair in
      copy.isMultiple(of: pair.0) || copy >= pair.1
    }
  }

  /// Write units of made levels that wait for their last chunks, and their chunks.
  package var openUnitBytes: Int {
    layouts.dropFirst().reduce(0) { sum, level in
      let unit = zip(level.writeUnitShape, level.shape).reduce(1) { $0 * min($1.0, $1.1) }
      return sum + (unit + level.chunkShape.reduce(1, *)) * level.dataType.byteCount
    }
  }

  package func workerBytes(share: Int) -> Int {
    let source = source.metadata
    let output = layout.chunkShape.reduce(1, *)
    let input = source.innerChunkShape.reduce(source.dataType.byteCount, *)
    let unit = layout.writeUnitShape.reduce(layout.dataType.byteCount, *)
    let region = zip(grid.cells.cellShape, layout.shape).reduce(1) { $0 * min($1.0, $1.1) }
    let kept = copiesByChunk ? output : region
    let copies = (source.dataType == layout.dataType ? 0 : 1) + (order.isInOrder ? 0 : 1)
    return 2 * input + output * 3 * layout.dataType.byteCount + unit + (2 << 20)
      + kept * (source.dataType.byteCount + copies * layout.dataType.byteCount)
  }
}

import OMCodecs
package import OMGrid
package import OMJSON
package import OMTask
package import OMZarr

/// One level of a copy of an image, stored in another way.
package struct CopyPlan: ArrayPlan {
  package let name: String
  /// The level of the image, and of the copy.
  let level: Int
  package let sources: [ZarrArray]
  package let grid: RegionGrid
  /// How the level is stored.
  let layout: ArrayLayout
  /// Takes damaged chunks of the source; nil makes them faults.
  let damage: DamageLog?

  /// Lays out a level.
  init(
    name: String, level: Int, source: ZarrArray, layout: ArrayLayout, axes: ImageAxes,
    damage: DamageLog?
  ) {
    self.name = name
    self.level = level
    sources = [source]
    self.layout = layout
    self.damage = damage
    grid = RegionGrid(
      shape: layout.shape, unit: layout.writeUnitShape, spatialAxes: axes.space.count)
  }

  package var title: String { "level \(level) of image \(name)" }
  package var ratios: [[Double]] { [] }
  /// Nothing is down-sampled.
  package var downsampling: Downsampling { .stride }
  package var expectedDataType: DataType { layout.dataType }
  package var findsObjects: Bool { false }
  package var shrinking: Int { 1 }
  package var processedVoxels: Int { layout.shape.reduce(1, *) }

  package func layouts(_ dataType: DataType) throws(Fault) -> [ArrayLayout] { [layout] }
  package func sourceBoxes(of region: Region) -> [Region] { [region] }
  package func decodings(memory: Int) -> Double { 1 }
  package func passes(memory: Int, preset: Bool) -> [ImagePass] { [.tiles] }

  /// Whether no chunk of the source has voxels in two chunks of the copy: then each chunk can be
  /// copied while it is in the cache.
  var copiesByChunk: Bool {
    let source = source.metadata.innerChunkShape
    return zip(layout.chunkShape, zip(source, layout.shape)).allSatisfy { copy, pair in
      copy.isMultiple(of: pair.0) || copy >= pair.1
    }
  }

  package func workerBytes(share: Int) -> Int {
    let source = source.metadata
    let output = layout.chunkShape.reduce(1, *)
    let input = source.innerChunkShape.reduce(source.dataType.byteCount, *)
    let unit = layout.writeUnitShape.reduce(layout.dataType.byteCount, *)
    let region = zip(grid.cells.cellShape, layout.shape).reduce(1) { $0 * min($1.0, $1.1) }
    let kept = copiesByChunk ? output : region
    return 2 * input + output * 3 * layout.dataType.byteCount + unit + (2 << 20)
      + kept * (source.dataType.byteCount + layout.dataType.byteCount)
  }
}

import OMCodecs
package import OMGrid
import OMImage
package import OMJSON
import OMStore
package import OMTask
package import OMZarr

/// The coarser levels of one image as they will be made, of its finest level, in its place.
package struct LevelsPlan: ArrayPlan {
  package let name: String
  /// Where the image is.
  let location: ImageLocation
  package let sources: [ZarrArray]
  /// What tells the finest level from another one that comes in its place.
  let stamp: ValueStamp
  package let grid: RegionGrid
  package let ratios: [[Double]]
  package let downsampling: Downsampling
  /// Whether every level is made of the finest one.
  let fromBase: Bool
  /// What changes in the metadata of the image.
  let edit: LevelsEdit
  /// The attributes of others that the array of each coarser level keeps.
  let attributes: [JSONObject]
  /// Takes damaged chunks of the source; nil makes them faults.
  let damage: DamageLog?
  /// All levels, the finest as it is.
  private let levels: [ArrayLayout]
  private let scales: [[Double]]
  /// How windows follow each other, level by level along each axis; from level 0 with `fromBase`.
  private let windows: [[Windows]]

  /// Lays out levels.
  ///
  /// - Parameters:
  ///   - source: The image.
  ///   - wanted: Its levels, at least two.
  ///   - downsampling: How they are made.
  ///   - fromBase: Whether every level is made of the finest one.
  ///   - growth: How many write units make a region.
  ///   - damage: Takes damaged chunks of the finest level.
  /// - Throws: `internal` for levels that cannot be written, `limit` for windows of too many voxels.
  init(
    _ source: SourceImage, _ wanted: [WantedLevel], _ downsampling: Downsampling, fromBase: Bool,
    growth: RegionGrowth, damage: DamageLog?
  ) throws(Fault) {
    let base = source.arrays[0]
    let metadata = base.metadata
    name = source.image.name
    location = source.image.location
    sources = [base]
    guard let stamp = try base.documentStamp() else { throw ReadArrays.replaced(base) }
    self.stamp = stamp
    self.downsampling = downsampling
    self.fromBase = fromBase
    self.damage = damage
    var levels: [ArrayLayout] = []
    for level in wanted {
      levels.append(
        try ArrayLayout(
          zarrFormat: metadata.zarrFormat, shape: level.shape, dataType: metadata.dataType,
          chunkShape: metadata.innerChunkShape,
          shardShape: metadata.isSharded ? metadata.storedChunkShape : nil,
          compression: metadata.compression, dimensionNames: source.image.axes.map(\.name),
          keySeparator: source.image.version.keySeparator))
    }
    self.levels = levels
    scales = wanted.map(\.scale)
    ratios = zip(wanted.dropFirst(), wanted).map { coarse, fine in
      zip(coarse.scale, fine.scale).map { $0 / $1 }
    }
    let windows = LevelsPlan.windows(wanted, fromBase: fromBase)
    self.windows = windows
    try LevelsPlan.check(windows)
    grid = RegionGrid(
      shape: metadata.shape, unit: metadata.storedChunkShape,
      spatialAxes: source.axes.space.count, growth: growth)
    edit = LevelsEdit(
      old: source.image.levels.map(\.path),
      transformations: LevelsPlan.transformations(
        source, wanted, windows, downsampling, fromBase: fromBase),
      pyramid: downsampling.description(fromBase: fromBase))
    attributes = wanted.indices.dropFirst().map { LevelsPlan.attributes(of: $0, source) }
  }

  package var title: String { "the levels of image \(name)" }
  package var expectedDataType: DataType { source.metadata.dataType }
  package var findsObjects: Bool { false }
  package var shrinking: Int { 1 }
  package var processedVoxels: Int { source.metadata.shape.reduce(1, *) }
  package var storesFinest: Bool { false }

  package func layouts(_ dataType: DataType) throws(Fault) -> [ArrayLayout] { levels }
  package func sourceBoxes(of region: Region) -> [Region] { [region] }
  package func decodings(memory: Int) -> Double { 1 }
  package func passes(memory: Int, preset: Bool) -> [ImagePass] { [.tiles] }

  /// The levels that are made at once, each with the numbers of its levels: all of them, or with
  /// `fromBase` each coarser one with the finest.
  var cascades: [(levels: [Int], ratios: [[Double]])] {
    if !fromBase { return [(Array(levels.indices), ratios)] }
    return levels.indices.dropFirst().map { level in
      ([0, level], [zip(scales[level], scales[0]).map { $0 / $1 }])
    }
  }

  package var openUnitBytes: Int {
    levels.dropFirst().reduce(0) { sum, level in
      let bytes = level.dataType.byteCount
      let unit = zip(level.writeUnitShape, level.shape).reduce(bytes) { $0 * min($1.0, $1.1) }
      return sum + unit + level.chunkShape.reduce(bytes, *)
    }
  }

  package func workerBytes(share: Int) -> Int {
    let bytes = expectedDataType.byteCount
    let chunk = source.metadata.innerChunkShape.reduce(bytes, *)
    let window = windows.map { $0.reduce(1) { $0 * $1.longest } }.max() ?? 1
    let fine = min(grid.cells.arrayShape.reduce(1, *), max(LevelCompletion.boxVoxels, window))
    return 6 * chunk + (2 << 20) + max(fine * bytes, 8 * window)
  }
}

// MARK: - What windows tell

extension LevelsPlan {
  /// Windows of more voxels are refused: a rule may have to hold one in memory.
  private static let largestWindow = 1 << 24

  private static func windows(_ wanted: [WantedLevel], fromBase: Bool) -> [[Windows]] {
    wanted.indices.dropFirst().map { level in
      let (fine, coarse) = (wanted[fromBase ? 0 : level - 1], wanted[level])
      return fine.shape.indices.map {
        Windows(
          fine: fine.shape[$0], coarse: coarse.shape[$0], ratio: coarse.scale[$0] / fine.scale[$0])
      }
    }
  }

  private static func check(_ windows: [[Windows]]) throws(Fault) {
    for (level, axes) in windows.enumerated() {
      let voxels = axes.reduce(1) { $0 * $1.longest }
      if voxels > largestWindow {
        throw Fault(
          .limit, "",
          "a voxel of level \(level + 1) would be made of \(voxels) voxels, the limit is "
            + "\(largestWindow)",
          hint: "make fewer levels, smaller steps, or leave `--from-base` out")
      }
    }
  }

  /// Where the voxels of each coarser level lie.
  private static func transformations(
    _ source: SourceImage, _ wanted: [WantedLevel], _ windows: [[Windows]],
    _ downsampling: Downsampling, fromBase: Bool
  ) -> [JSON] {
    let known = source.image.levels
    let (scale, start) = (wanted[0].scale, known[0].translation)
    var sizes = scale.map { _ in 1.0 }
    return wanted.indices.dropFirst().map { level in
      sizes = sizes.indices.map { axis in
        let step = windows[level - 1][axis]
        guard let factor = step.fine == 1 ? 1 : step.factor else {
          return wanted[level].scale[axis] / scale[axis]
        }
        return (fromBase ? 1 : sizes[axis]) * Double(factor)
      }
      var translation = start ?? scale.map { _ in 0 }
      if downsampling != .stride {
        for axis in sizes.indices { translation[axis] += scale[axis] * (sizes[axis] - 1) / 2 }
      }
      let isMoved = start != nil || translation.contains { $0 != 0 }
      return Transformations.document(
        changing: level < known.count ? known[level].transformations : nil,
        scale: wanted[level].scale, translation: isMoved ? translation : nil)
    }
  }

  /// What the array of a level keeps: the attributes of the one it replaces, or the names of the axes
  /// as others write them in v2.
  private static func attributes(of level: Int, _ source: SourceImage) -> JSONObject {
    var attributes = JSONObject()
    if level < source.arrays.count {
      attributes = source.arrays[level].metadata.attributes
      attributes["omtask"] = nil
    } else {
      let names = "_ARRAY_DIMENSIONS"
      attributes[names] = source.arrays[0].metadata.attributes[names]
    }
    return attributes
  }
}

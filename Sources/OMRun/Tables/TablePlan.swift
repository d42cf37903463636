package import OMGrid
package import OMJSON
package import OMTask
package import OMZarr

/// One table as it will be made: what is read and how it is cut.
package struct TablePlan: ArrayPlan {
  /// What the task asks for.
  package let recipe: TableRecipe
  /// The label image, alone.
  package let sources: [ZarrArray]
  /// The image whose voxels are measured; nil when only shapes are.
  let image: ZarrArray?
  /// The axes of the image.
  let imageAxes: ImageAxes
  /// The axes of the label image.
  let axes: ImageAxes
  /// The selected box of the label image.
  let selection: Region
  /// Where voxels lie, for the task.
  let space: MeasuredSpace
  /// What each channel is called.
  let channelNames: [String]
  /// Where sums lie.
  let layout: SumsLayout
  package let grid: RegionGrid
  /// Takes damaged chunks of both images; nil makes them faults.
  let damage: DamageLog?

  /// Lays out a table.
  init(
    recipe: TableRecipe, labels: ZarrArray, image: ZarrArray?, imageAxes: ImageAxes,
    axes: ImageAxes, selection: Region, space: MeasuredSpace, channelNames: [String],
    growth: RegionGrowth, damage: DamageLog?
  ) {
    self.recipe = recipe
    sources = [labels]
    self.image = image
    self.imageAxes = imageAxes
    self.axes = axes
    self.selection = selection
    self.space = space
    self.channelNames = channelNames
    self.damage = damage
    layout = SumsLayout(
      recipe.sums, dataType: image?.metadata.dataType ?? .uint8, channels: recipe.channels.count)
    let own = labels.metadata.storedChunkShape
    let other = image.map { imageAxes.withoutChannel($0.metadata.storedChunkShape) } ?? own
    grid = RegionGrid(
      shape: labels.metadata.shape, unit: zip(own, other).map { max($0, $1) },
      spatialAxes: axes.space.count, growth: growth)
  }

  package var name: String { recipe.name }
  package var title: String { "table \(name)" }
  package var inputs: [ZarrArray] { sources + [image].compactMap(\.self) }
  package var ratios: [[Double]] { [] }
  /// Nothing is down-sampled.
  package var downsampling: Downsampling { .stride }
  /// That of the labels; a table has no voxels.
  package var expectedDataType: DataType { source.metadata.dataType }
  package var processedVoxels: Int { selection.count }
  package var findsObjects: Bool { true }
  /// Sums in each region, in all of them, and as a row, with the room that growing takes.
  ///
  /// Every voxel may be an object, so the limit is mostly what `--memory` leaves.
  package var keptPerVoxel: Int { 16 * (layout.stride * 8 + 64) }
  package var shrinking: Int { 1 }

  /// None: how large a table is shows at its end.
  package func layouts(_ dataType: DataType) throws(Fault) -> [ArrayLayout] { [] }

  package func sourceBoxes(of region: Region) -> [Region] {
    [region.intersection(selection)].compactMap(\.self)
  }

  package var bytesPerVoxel: Int {
    let voxel = image?.metadata.dataType.byteCount ?? 0
    return source.metadata.dataType.byteCount + recipe.channels.count * voxel
  }

  package func decodings(memory: Int) -> Double {
    guard looksAround else { return 1 }
    let labels = Double(source.metadata.dataType.byteCount)
    let times = Double(tile.reduce(1, *)) / Double(max(1, spanShape.reduce(1, *)))
    return 1 + (times - 1) * labels / Double(bytesPerVoxel)
  }
  package func passes(memory: Int, preset: Bool) -> [ImagePass] { [.measure] }

  package func workerBytes(share: Int) -> Int {
    let chunks = inputs.reduce(0) { sum, array in
      sum + array.metadata.innerChunkShape.reduce(2 * array.metadata.dataType.byteCount, *)
    }
    // A run for every eight voxels of a block: far more than images show.
    let block = blockShape.reduce(1, *)
    let labels = looksAround ? tile.reduce(1, *) : readsChunks ? 0 : block
    return chunks + block * 3 + labels * source.metadata.dataType.byteCount + (2 << 20)
  }

  // MARK: - Blocks

  /// The most bytes of labels that are held at once, where chunks of both images differ.
  private static let blockBytes = 64 << 20

  /// Whether each chunk of labels can be measured while it is in the cache.
  var readsChunks: Bool { blockShape == source.metadata.innerChunkShape }

  /// The shape of the boxes whose runs are found before the voxels of the image are looked at: no chunk
  /// of the image has voxels in two of them, unless chunks do not divide each other.
  var blockShape: [Int] {
    let own = source.metadata.innerChunkShape
    guard let image else { return own }
    let other = imageAxes.withoutChannel(image.metadata.innerChunkShape)
    return shrunk(zip(own, other).map { max($0, $1) }, toMultiplesOf: other)
  }

  /// Halves the edges of a box that is too large to be held at once.
  ///
  /// Rather than hold too much, chunks of labels are decoded several times.
  private func shrunk(_ box: [Int], toMultiplesOf unit: [Int]) -> [Int] {
    var box = box
    while box.reduce(source.metadata.dataType.byteCount, *) > Self.blockBytes,
      let axis = box.indices.filter({ box[$0] > unit[$0] }).max(by: { box[$0] < box[$1] })
    {
      box[axis] = max(unit[axis], box[axis] / 2 / unit[axis] * unit[axis])
    }
    return box
  }

  // MARK: - Surroundings

  /// Whether shapes are found in voxels and those around them.
  var looksAround: Bool { recipe.sums.halo != (0, 0) }

  /// How many labels are read before and behind a box, along axes in which objects extend.
  private var halo: (before: Vector3, behind: Vector3) {
    let (before, behind) = recipe.sums.halo
    let (first, last) = space.isFlat ? (0, 0) : (before, behind)
    return (Vector3(first, before, before), Vector3(last, behind, behind))
  }

  /// The shape of the boxes that are read with what is around them: whole regions, unless these are
  /// too large.
  var spanShape: [Int] {
    shrunk(zip(grid.cells.cellShape, shape).map { min($0, $1) }, toMultiplesOf: blockShape)
  }

  /// The largest box that is read at once.
  private var tile: [Int] {
    axes.largest(spanShape, before: halo.before, behind: halo.behind, within: shape)
  }

  /// A box with what is around it in the selection.
  func surrounded(_ box: Region) -> Region {
    axes.grown(box, before: halo.before, behind: halo.behind, within: selection)
  }
}

extension ImageAxes {
  /// Numbers for the axes of an image without that of the channel axis.
  func withoutChannel<Value>(_ values: [Value]) -> [Value] {
    values.indices.filter { $0 != channel }.map { values[$0] }
  }
}

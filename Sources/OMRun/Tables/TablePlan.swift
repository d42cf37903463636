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

  package func decodings(memory: Int) -> Double { 1 }
  package func passes(memory: Int, preset: Bool) -> [ImagePass] { [.measure] }

  package func workerBytes(share: Int) -> Int {
    let chunks = inputs.reduce(0) { sum, array in
      sum + array.metadata.innerChunkShape.reduce(2 * array.metadata.dataType.byteCount, *)
    }
    // A run for every eight voxels of a block: far more than images show.
    let block = blockShape.reduce(1, *)
    return chunks + block * 3 + (readsChunks ? 0 : block * source.metadata.dataType.byteCount)
      + (2 << 20)
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
    var block = zip(own, other).map { max($0, $1) }
    let size = source.metadata.dataType.byteCount
    // Rather than hold too much, chunks of labels are decoded several times.
    while block.reduce(size, *) > Self.blockBytes,
      let axis = block.indices.filter({ block[$0] > other[$0] }).max(by: { block[$0] < block[$1] })
    {
      block[axis] = max(other[axis], block[axis] / 2 / other[axis] * other[axis])
    }
    return block
  }
}

extension ImageAxes {
  /// Numbers for the axes of an image without that of the channel axis.
  func withoutChannel<Value>(_ values: [Value]) -> [Value] {
    values.indices.filter { $0 != channel }.map { values[$0] }
  }
}

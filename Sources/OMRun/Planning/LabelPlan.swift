import OMCodecs
package import OMGrid
package import OMJSON
package import OMObjects
package import OMTask
package import OMZarr

/// One label image as it will be made: what is read, what is written, and how it is cut.
package struct LabelPlan: ArrayPlan {
  /// What the task asks for.
  package let recipe: LabelRecipe
  /// The name of the label image.
  package let name: String
  /// The arrays of the source image from the level that is read to the coarsest.
  package let sources: [ZarrArray]
  /// For each level but the first, pixel size over that of the finer one, in axes of the label.
  package let ratios: [[Double]]
  /// The axes of the image.
  let axes: ImageAxes
  /// The voxels of the image that are selected.
  let selection: SelectedVoxels
  /// The label image whose objects hold the voxels that count; nil counts all that are selected.
  let masking: MaskingLabel?
  /// The regions of the label image.
  package let grid: RegionGrid
  /// The names of the label's axes.
  let axisNames: [String]
  /// What stands between the indices of its chunk keys in Zarr v2.
  var keySeparator = "/"
  /// Takes damaged chunks of the sources, the same for all label images of an image; nil makes them
  /// faults.
  let damage: DamageLog?

  /// Lays out a label image.
  ///
  /// - Parameters:
  ///   - recipe: What the task asks for.
  ///   - name: The name of the label image.
  ///   - sources: The arrays of the image from the recipe's level on.
  ///   - scales: The pixel sizes of these levels, in axes of the image.
  ///   - axes: The axes of the image.
  ///   - axisNames: Their names.
  ///   - selection: What is selected of the image, in voxels of the level that is read.
  ///   - masking: The label image whose objects hold the voxels that count.
  ///   - growth: How many write units make a region.
  ///   - damage: Takes damaged chunks of the sources.
  package init(
    recipe: LabelRecipe, name: String, sources: [ZarrArray], scales: [[Double]], axes: ImageAxes,
    axisNames: [String], selection: SelectedVoxels, masking: MaskingLabel? = nil,
    growth: RegionGrowth = .usual, damage: DamageLog? = nil
  ) {
    self.recipe = recipe
    self.name = name
    self.sources = sources
    self.axes = axes
    self.selection = selection
    self.masking = masking
    self.damage = damage
    let dropped = recipe.keepsChannelAxis ? nil : axes.channel
    self.axisNames = LabelPlan.drop(dropped, axisNames)
    ratios = zip(scales.dropFirst(), scales).map { coarse, fine in
      LabelPlan.drop(dropped, zip(coarse, fine).map { $0 / $1 })
    }
    let metadata = sources[0].metadata
    grid = RegionGrid(
      shape: LabelPlan.drop(dropped, metadata.shape),
      unit: LabelPlan.drop(dropped, metadata.storedChunkShape), spatialAxes: axes.space.count,
      reach: recipe.tiles?.kernel.reach ?? .any, growth: growth)
  }

  private static func drop<Value>(_ axis: Int?, _ values: [Value]) -> [Value] {
    guard let axis else { return values }
    return values.indices.filter { $0 != axis }.map { values[$0] }
  }

  package var inputs: [ZarrArray] { sources + [masking?.array].compactMap(\.self) }

  /// The axis of the image that the label lacks.
  var droppedAxis: Int? { recipe.keepsChannelAxis ? nil : axes.channel }

  package var title: String { "label \(name)" }

  package var downsampling: Downsampling { recipe.downsampling }

  /// In how many coordinates voxels of two regions may differ that make their components one.
  var seamOrder: Int {
    guard let tiles = recipe.tiles else { return recipe.objects?.connectivity.order ?? 0 }
    if case .touching(let connectivity) = tiles.seam { return connectivity.order }
    return 0
  }

  /// How far neighbouring regions look into each other, where objects of both are compared there.
  var overlap: Vector3? {
    recipe.tiles.flatMap { $0.seam == .overlapping ? $0.kernel.halo : nil }
  }

  package var findsObjects: Bool { recipe.objects != nil || recipe.filter != nil }

  package var keptPerVoxel: Int {
    // Every voxel may be a label of its own, or a component at the surface of its block.
    if recipe.filter != nil { return LabelTable.bytesPerLabel }
    return recipe.objects?.comparesValues == true ? 72 : 2
  }

  /// Labels and masks shrink at least by this factor; measured ones by 20 and more.
  package var shrinking: Int { 8 }

  /// The type of the label image before the number of objects is known.
  package var expectedDataType: DataType {
    if recipe.filter != nil {
      return recipe.dataType?.dataType ?? source.metadata.dataType.labelType
    }
    return recipe.dataType?.dataType ?? (recipe.objects?.numbers == true ? .uint32 : .uint8)
  }

  /// The levels of the label image.
  package func layouts(_ dataType: DataType) throws(Fault) -> [ArrayLayout] {
    var layouts: [ArrayLayout] = []
    for source in sources {
      let metadata = source.metadata
      layouts.append(
        try ArrayLayout(
          zarrFormat: metadata.zarrFormat,
          shape: LabelPlan.drop(droppedAxis, metadata.shape), dataType: dataType,
          chunkShape: LabelPlan.drop(droppedAxis, metadata.innerChunkShape),
          shardShape: metadata.isSharded
            ? LabelPlan.drop(droppedAxis, metadata.storedChunkShape) : nil,
          compression: metadata.compression, dimensionNames: axisNames,
          keySeparator: keySeparator))
    }
    return layouts
  }

  /// The axes of the label image: those of the image without the one that is dropped.
  private func labelAxis(_ axis: Int?) -> Int? {
    guard let axis else { return nil }
    guard let dropped = droppedAxis else { return axis }
    return axis == dropped ? nil : axis > dropped ? axis - 1 : axis
  }

  /// The time axis of the label.
  var timeAxis: Int? { labelAxis(axes.time) }
  /// The channel axis of the label.
  var channelAxis: Int? { labelAxis(axes.channel) }

  package func sourceBoxes(of region: Region) -> [Region] {
    parts(of: region).map(\.source).filter(selection.touches)
  }

  /// The parts of a box of the label image, one per (t, c) volume, cut to the bounds of the selection
  /// and to the channels of the recipe.
  package func parts(of box: Region) -> [VolumePart] {
    let times = range(timeAxis, box)
    let channels = channelAxis.map { box.origin[$0]..<box.end($0) }
    var parts: [VolumePart] = []
    for time in times {
      for channel in recipe.channels where channels?.contains(channel) ?? true {
        var label = box
        if let axis = timeAxis { (label.origin[axis], label.shape[axis]) = (time, 1) }
        if let axis = channelAxis { (label.origin[axis], label.shape[axis]) = (channel, 1) }
        var source = label
        if let dropped = droppedAxis {
          source.origin.insert(channel, at: dropped)
          source.shape.insert(1, at: dropped)
        }
        guard let selected = source.intersection(selection.bounds) else { continue }
        let offsets = LabelPlan.drop(droppedAxis, selected.origin)
        let shape = LabelPlan.drop(droppedAxis, selected.shape)
        parts.append(
          VolumePart(
            time: time, channel: channel, volume: volume(time, channel), source: selected,
            label: Region(origin: offsets, shape: shape)))
      }
    }
    return parts
  }

  private func range(_ axis: Int?, _ box: Region) -> Range<Int> {
    guard let axis else { return 0..<1 }
    return box.origin[axis]..<box.end(axis)
  }

  /// The number of a volume within the label image.
  private func volume(_ time: Int, _ channel: Int) -> Int {
    channelAxis.map { time * shape[$0] + channel } ?? time
  }

  /// The number of volumes of the label image.
  var volumeCount: Int {
    (timeAxis.map { shape[$0] } ?? 1) * (channelAxis.map { shape[$0] } ?? 1)
  }

  /// The grid of blocks that the regions make in every volume.
  package var blockGrid: BlockGrid {
    let selected = axes.vector(selection.bounds.origin)
    let size = axes.vector(selection.bounds.shape)
    return BlockGrid(
      volumes: volumeCount, volumeShape: axes.vector(source.metadata.shape),
      gridShape: spatial(grid.cells.gridShape),
      border: BlockGrid.Border(
        low: axes.space.count == 3 ? selected : Vector3(0, selected.y, selected.x),
        high: Vector3(
          (axes.space.count == 3 ? selected.z : 0) + size.z, selected.y + size.y,
          selected.x + size.x), hasDepth: axes.space.count == 3), overlap: overlap)
  }

  /// The block of a region in one volume.
  func block(_ part: VolumePart) -> Block {
    let cell = grid.cells.cells(touching: part.label)
    return Block(
      volume: part.volume, position: spatial(cell.origin, missing: 0),
      origin: spatial(part.label.origin, missing: 0), shape: spatial(part.label.shape))
  }

  /// The last two or three numbers of a list in axes of the label, as z, y, x.
  func spatial(_ values: [Int], missing: Int = 1) -> Vector3 {
    let count = values.count
    return Vector3(
      axes.space.count == 3 ? values[count - 3] : missing, values[count - 2], values[count - 1])
  }
}

/// The part of a box that lies in one (t, c) volume, in axes of the image and of the label.
package struct VolumePart: Sendable {
  /// The time point.
  package let time: Int
  /// The channel.
  package let channel: Int
  /// The number of the volume within the label image.
  let volume: Int
  /// The voxels to read.
  package let source: Region
  /// The voxels to write.
  package let label: Region
}

import OMCodecs
package import OMGrid
package import OMJSON
package import OMTask
package import OMZarr

/// One derived image as it will be made: what is read, what is written, and how it is cut.
package struct DerivedPlan: ArrayPlan {
  /// What the task asks for.
  package let recipe: ImageRecipe
  /// The name of the derived image.
  package let name: String
  package let sources: [ZarrArray]
  package let ratios: [[Double]]
  package let grid: RegionGrid
  /// The axes of the image; the derived image has the same.
  let axes: ImageAxes
  /// Their names.
  let axisNames: [String]
  /// The voxels of the image that are selected.
  let selection: SelectedVoxels
  /// The axis that becomes one voxel long.
  let collapsed: Int?
  /// The kernel of every channel; none for projections.
  let kernels: [any TileKernel]
  /// Takes damaged chunks of the source; nil makes them faults.
  let damage: DamageLog?
  /// What stands between the indices of its chunk keys in Zarr v2.
  var keySeparator = "/"
  /// Digests of what is read besides the image.
  var ingredients: [String] = []
  private let shapes: [DerivedShapes]

  /// Lays out a derived image.
  ///
  /// - Parameters:
  ///   - recipe: What the task asks for.
  ///   - name: The name of the derived image.
  ///   - sources: The arrays of the image, finest first.
  ///   - scales: Their pixel sizes, in axes of the image.
  ///   - axes: The axes of the image.
  ///   - axisNames: Their names.
  ///   - letters: Their letters.
  ///   - selection: What is selected of the image.
  ///   - growth: How many write units make a region.
  ///   - damage: Takes damaged chunks of the source.
  /// - Throws: `usage` for a projection along an axis that the image lacks, and what the recipe
  ///   throws for a channel.
  package init(
    recipe: ImageRecipe, name: String, sources: [ZarrArray], scales: [[Double]], axes: ImageAxes,
    axisNames: [String], letters: [String], selection: SelectedVoxels,
    growth: RegionGrowth = .usual, damage: DamageLog? = nil
  ) throws(Fault) {
    self.recipe = recipe
    self.name = name
    self.sources = sources
    self.axes = axes
    self.axisNames = axisNames
    self.selection = selection
    self.damage = damage
    var kernels: [any TileKernel] = []
    var collapsed: Int?
    switch recipe.making {
    case .tiles(let kernel):
      let channels = axes.channel.map { sources[0].metadata.shape[$0] } ?? 1
      for channel in 0..<channels { kernels.append(try kernel(channel)) }
    case .projection(let projection):
      guard let axis = letters.firstIndex(of: projection.axis) else {
        throw Fault(
          .usage, "",
          "`axis` is `\(projection.axis)`, the image has \(letters.joined(separator: ", "))")
      }
      collapsed = axis
    case .illumination:
      throw Fault(.internal, "", "the profiles of an illumination were not read")
    case .copy:
      throw Fault(.internal, "", "a copy has a plan for each level")
    }
    self.kernels = kernels
    self.collapsed = collapsed
    let shapes = sources.map { DerivedShapes($0.metadata, collapsing: collapsed, axes) }
    self.shapes = shapes
    ratios = zip(scales.dropFirst(), scales).map { coarse, fine in
      zip(coarse, fine).enumerated().map { $0 == collapsed ? 1 : $1.0 / $1.1 }
    }
    grid = RegionGrid(
      shape: shapes[0].array, unit: shapes[0].unit,
      // An axis that is one voxel long does not grow.
      spatialAxes: axes.space.count, depth: collapsed.map { selection.bounds.shape[$0] } ?? 1,
      reach: kernels.first?.reach ?? .any, growth: growth)
  }

  package var title: String { "image \(name)" }
  package var downsampling: Downsampling { recipe.downsampling }
  package var expectedDataType: DataType { recipe.dataType }
  package var findsObjects: Bool { false }
  package var shrinking: Int { 1 }
  package var processedVoxels: Int { selection.count }

  package func layouts(_ dataType: DataType) throws(Fault) -> [ArrayLayout] {
    var layouts: [ArrayLayout] = []
    for (source, shapes) in zip(sources, shapes) {
      let metadata = source.metadata
      layouts.append(
        try ArrayLayout(
          zarrFormat: metadata.zarrFormat, shape: shapes.array, dataType: dataType,
          chunkShape: shapes.chunk, shardShape: metadata.isSharded ? shapes.unit : nil,
          compression: metadata.compression, dimensionNames: axisNames,
          keySeparator: keySeparator))
    }
    return layouts
  }

  package func sourceBoxes(of region: Region) -> [Region] {
    [sourceBox(of: region)].compactMap(\.self)
  }

  /// The box of the image that holds the selected voxels which a box of the derived image is made of,
  /// without halo; nil when there are none.
  func sourceBox(of region: Region) -> Region? {
    var box = region
    if let collapsed {
      box.origin[collapsed] = selection.bounds.origin[collapsed]
      box.shape[collapsed] = selection.bounds.shape[collapsed]
    }
    guard selection.touches(box) else { return nil }
    return box.intersection(selection.bounds)
  }

  package func passes(memory: Int, preset: Bool) -> [ImagePass] { [.tiles] }

  package func decodings(memory: Int) -> Double {
    let region = zip(grid.cells.cellShape, shape).reduce(1) { $0 * min($1.0, $1.1) }
    return collapsed == nil ? Double(tileShape.reduce(1, *)) / Double(region) : 1
  }

  /// The shape of the largest box that is read at once: a region with its halo.
  private var tileShape: [Int] {
    let halo = kernels.map(\.halo).reduce(Vector3(0, 0, 0)) {
      Vector3(max($0.z, $1.z), max($0.y, $1.y), max($0.x, $1.x))
    }
    return axes.largest(grid.cells.cellShape, halo: halo, within: source.metadata.shape)
  }

  /// What cannot happen: a buffer has no address only when it is empty.
  func noMemory(_ box: Region) -> Fault {
    Fault(.internal, source.path, "there is no memory for \(box)")
  }

  package func workerBytes(share: Int) -> Int {
    let region = zip(grid.cells.cellShape, shape).reduce(1) { $0 * min($1.0, $1.1) }
    let output = region * expectedDataType.byteCount
    // Whole units, and a part of the region that is made before it finds its place there.
    let made = 2 * output + shapes[0].unit.reduce(expectedDataType.byteCount, *)
    // Sums of a projection take eight bytes each, those of the widest types sixteen.
    if let collapsed {
      // Where boxes are selected, each line counts its voxels, and each voxel has a byte.
      let layer = source.metadata.innerChunkShape[collapsed]
      let counted = selection.boxes == nil ? 0 : region * (MemoryLayout<Int>.stride + layer)
      return chunkBytes + made + 16 * region + counted
    }
    let tile = tileShape
    let input = tile.reduce(source.metadata.dataType.byteCount, *)
    let scratch = kernels.map { $0.scratchByteCount(axes.vector(tile)) }.max() ?? 0
    return chunkBytes + input + made + scratch
  }
}

/// The shapes of one level of a derived image.
private struct DerivedShapes: Sendable {
  var array: [Int]
  var chunk: [Int]
  var unit: [Int]

  /// Fewer voxels make a poor chunk, and a poor shard.
  private static let chunkVoxels = 1 << 16
  private static let unitVoxels = 1 << 18

  /// The shapes of the source, with one axis one voxel long.
  init(_ source: ArrayMetadata, collapsing axis: Int?, _ axes: ImageAxes) {
    array = source.shape
    chunk = source.innerChunkShape
    unit = source.storedChunkShape
    guard let axis else { return }
    array[axis] = 1
    chunk[axis] = 1
    unit[axis] = 1
    // What the axis held is missing now: the plane grows instead, the y axis and the x axis alike.
    let plane = axes.space.filter { $0 != axis }.suffix(2)
    DerivedShapes.grow(&chunk, plane, array, atLeast: DerivedShapes.chunkVoxels)
    for axis in plane { unit[axis] = (unit[axis] + chunk[axis] - 1) / chunk[axis] * chunk[axis] }
    if source.isSharded {
      DerivedShapes.grow(&unit, plane, array, atLeast: DerivedShapes.unitVoxels)
    } else {
      unit = chunk
    }
  }

  private static func grow(
    _ shape: inout [Int], _ plane: ArraySlice<Int>, _ array: [Int], atLeast voxels: Int
  ) {
    while shape.reduce(1, *) < voxels, plane.contains(where: { shape[$0] < array[$0] }) {
      for axis in plane where shape[axis] < array[axis] { shape[axis] *= 2 }
    }
  }
}

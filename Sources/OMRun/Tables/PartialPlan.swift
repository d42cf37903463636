package import OMGrid
package import OMJSON
package import OMTask
package import OMZarr

/// A table that is made of what is found in each region, as it will be made: what is read and how it is cut.
package struct PartialPlan: ArrayPlan {
  /// What the task asks for.
  package let recipe: PartialRecipe
  /// The level that is read, alone.
  package let sources: [ZarrArray]
  /// The axes of the image.
  let axes: ImageAxes
  /// The selected box of the level.
  let selection: Region
  package let grid: RegionGrid
  /// Takes damaged chunks; nil makes them faults.
  let damage: DamageLog?

  /// Lays out a table.
  init(
    recipe: PartialRecipe, source: ZarrArray, axes: ImageAxes, selection: Region,
    growth: RegionGrowth, damage: DamageLog?
  ) {
    self.recipe = recipe
    sources = [source]
    self.axes = axes
    self.selection = selection
    self.damage = damage
    grid = RegionGrid(
      shape: axes.withoutChannel(source.metadata.shape),
      unit: axes.withoutChannel(source.metadata.storedChunkShape), spatialAxes: axes.space.count,
      reach: recipe.finder.reach, growth: growth)
  }

  package var name: String { recipe.name }
  package var title: String { "table \(name)" }
  package var ratios: [[Double]] { [] }
  /// Nothing is down-sampled.
  package var downsampling: Downsampling { .stride }
  /// That of the image; a table has no voxels.
  package var expectedDataType: DataType { source.metadata.dataType }
  package var findsObjects: Bool { true }
  /// A program may answer with rows as it likes: what `--memory` leaves is the limit.
  package var keptPerVoxel: Int { 1 << 16 }
  package var shrinking: Int { 1 }

  package var processedVoxels: Int {
    guard let axis = axes.channel else { return selection.count }
    let isSelected = selection.origin[axis]..<selection.end(axis) ~= recipe.channel
    return isSelected ? selection.count / selection.shape[axis] : 0
  }

  /// None: how large a table is shows at its end.
  package func layouts(_ dataType: DataType) throws(Fault) -> [ArrayLayout] { [] }

  package func sourceBoxes(of region: Region) -> [Region] { parts(of: region) }

  /// The parts of a region in each volume, in axes of the image, cut to the selection.
  func parts(of region: Region) -> [Region] {
    let times = axes.time.map { region.origin[$0]..<region.end($0) } ?? 0..<1
    return times.compactMap { time in
      var part = region
      if let axis = axes.time { (part.origin[axis], part.shape[axis]) = (time, 1) }
      if let axis = axes.channel {
        part.origin.insert(recipe.channel, at: axis)
        part.shape.insert(1, at: axis)
      }
      return part.intersection(selection)
    }
  }

  package func passes(memory: Int, preset: Bool) -> [ImagePass] { [.partials] }

  package func decodings(memory: Int) -> Double {
    let region = zip(cell, source.metadata.shape).reduce(1) { $0 * min($1.0, $1.1) }
    return Double(tile.reduce(1, *)) / Double(max(1, region))
  }

  package func workerBytes(share: Int) -> Int {
    let metadata = source.metadata
    let chunk = metadata.innerChunkShape.reduce(metadata.dataType.byteCount, *)
    return 2 * chunk + tile.reduce(metadata.dataType.byteCount, *) + (2 << 20)
      + recipe.finder.scratchByteCount(axes.vector(tile))
  }

  /// A region in axes of the image: within one volume mostly, and in one channel.
  private var cell: [Int] {
    var cell = grid.cells.cellShape
    if let axis = axes.channel { cell.insert(1, at: axis) }
    if let axis = axes.time { cell[axis] = 1 }
    return cell
  }

  /// The largest box that is read at once: a region with its halo.
  private var tile: [Int] {
    axes.largest(cell, halo: recipe.finder.halo, within: source.metadata.shape)
  }

  /// What rows may depend on that each region found by itself.
  var regionRecord: JSON? {
    if recipe.finder.reach != .any { return nil }
    let halo = recipe.finder.halo
    let widths = axes.space.count == 3 ? [halo.z, halo.y, halo.x] : [halo.y, halo.x]
    return [
      "shape": .array(grid.cells.cellShape.suffix(widths.count).map { JSON($0) }),
      "halo": .array(widths.map { JSON($0) }),
    ]
  }

  func tooManyRows(_ count: Int, _ limit: Int) -> Fault {
    Fault(
      .limit, "--memory",
      "the \(count) rows of the table `\(name)` take more than the \(limit >> 20) MiB there are for them",
      hint: "give more with --memory, or let each region answer with fewer rows")
  }
}

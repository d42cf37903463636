import OMGrid
import OMImage
import OMJSON
import OMTask
import OMZarr

/// One level of a copy: how it is stored, and how large its voxels are.
struct CopiedLevel: Sendable {
  var layout: ArrayLayout
  var scale: [Double]
  /// Where the first voxel lies; nil when the image does not say.
  var translation: [Double]?
  /// The transformations as they are written.
  var document: JSON
}

/// A copy of an image as it will be made: one plan for each level that is copied.
struct CopiedImage: Sendable {
  var plans: [CopyPlan]
  var levels: [CopiedLevel]
  var order: AxisOrder
  /// How many levels the image has; others are made.
  var copied: Int
  var downsampling: Downsampling

  /// The metadata of the copy.
  func documents(
    of image: OMEImage, _ version: OMEVersion, name: String, record: JSON
  ) -> DerivedDocuments {
    let isMade = levels.count > copied
    return DerivedDocuments(
      copyOf: image, version: version, name: name, order: order, levels: levels.map(\.document),
      made: isMade ? (first: copied, downsampling.description) : nil, record: record)
  }
}

/// Halves a level along the axes of space until voxels are as cubic as they can be.
struct Halving {
  /// The axes of the image.
  let axes: [Axis]

  /// The size of the next coarser level.
  ///
  /// Lengths of voxels in different units cannot be compared; then planes get smaller.
  ///
  /// - Parameters:
  ///   - shape: The shape of a level.
  ///   - scale: The size of its voxels.
  /// - Returns: Shape and scale of the next one, the same when it gets no smaller.
  func next(_ shape: [Int], _ scale: [Double]) -> (shape: [Int], scale: [Double]) {
    let space = axes.indices.filter { axes[$0].kind == .space }
    let long = space.filter { shape[$0] > 1 }
    let isComparable = Set(long.map { axes[$0].unit }).count <= 1
    let shortest = long.map { abs(scale[$0]) }.min() ?? 1
    var (nextShape, nextScale) = (shape, scale)
    for axis in long {
      let isHalved =
        isComparable ? abs(scale[axis]) < 2 * shortest : space.suffix(2).contains(axis)
      guard isHalved else { continue }
      nextShape[axis] = (shape[axis] + 1) / 2
      nextScale[axis] = scale[axis] * 2
    }
    return (nextShape, nextScale)
  }
}

extension PlanMaker {
  /// The copy of an image.
  ///
  /// - Throws: `usage` for what cannot be copied that way.
  func copy(
    _ recipe: ImageRecipe, _ storage: StoragePlan, _ copying: Copying
  ) throws(Fault) -> CopiedImage {
    if !options.select.isEmpty || roiTable != nil {
      let flag = roiTable == nil ? "--select" : "--roi-table"
      throw Fault(.usage, "", "`\(flag)` is given, but an image is copied as a whole")
    }
    if options.output == nil, storage.version != image.version, try isInWell() {
      throw Fault(
        .usage, "",
        "the plate is of OME-Zarr \(image.version.rawValue), an image of "
          + "\(storage.version.rawValue) cannot be listed in it",
        hint: "`--ome-version \(image.version.rawValue)` can, or give another place by `--output`")
    }
    let order = try AxisOrder(copying.axes, of: image, try source.array(0).metadata.shape)
    var levels = try copiedLevels(recipe, storage, order)
    let copied = levels.count
    try complete(&levels, copying.levels, recipe, storage, order)
    let name = try name(recipe)
    let last = min(copied, levels.count) - 1
    let plans = try (0...last).map { (level) throws(Fault) in
      CopyPlan(
        name: name, level: level, source: try source.array(level),
        levels: level == last ? Array(levels[level...]) : [levels[level]],
        downsampling: recipe.downsampling, order: order,
        growth: options.growth, damage: damage)
    }
    return CopiedImage(
      plans: plans, levels: levels, order: order, copied: copied, downsampling: recipe.downsampling)
  }

  /// The levels that the image has, finest first.
  private func copiedLevels(
    _ recipe: ImageRecipe, _ storage: StoragePlan, _ order: AxisOrder
  ) throws(Fault) -> [CopiedLevel] {
    var levels: [CopiedLevel] = []
    for level in source.arrays.indices {
      let metadata = try source.array(level).metadata
      for (axis, size) in metadata.shape.enumerated()
      where size != 1 && !order.sources.contains(axis) {
        throw Fault(
          .unsupported, "",
          "level \(level) has \(size) voxels along \(image.axes[axis].name), "
            + "level 0 has 1")
      }
      let transformations = image.levels[level].transformations
      levels.append(
        CopiedLevel(
          layout: try storage.layout(
            order.values(metadata.shape, new: 1), like: metadata, order, recipe.dataType),
          scale: order.values(transformations.scale, new: 1),
          translation: transformations.translation.map { order.values($0, new: 0) },
          document: transformations.document(along: order)))
    }
    return levels
  }

  /// Takes levels away, or adds those that the image lacks.
  private func complete(
    _ levels: inout [CopiedLevel], _ wanted: Copying.Levels, _ recipe: ImageRecipe,
    _ storage: StoragePlan, _ order: AxisOrder
  ) throws(Fault) {
    let count: Int?
    switch wanted {
    case .same: return
    case .count(let number): count = number
    case .auto:
      count = nil
      if let fitting = levels.firstIndex(where: { fitsInChunk($0, order) }) {
        levels.removeSubrange((fitting + 1)...)
        return
      }
    }
    if let count, count <= levels.count { return levels.removeSubrange(count...) }
    let metadata = try source.array(source.arrays.count - 1).metadata
    while let last = levels.last, levels.count < count ?? Int.max {
      if count == nil && fitsInChunk(last, order) { break }
      let next = Halving(axes: order.axes).next(last.layout.shape, last.scale)
      if next.shape == last.layout.shape {
        guard let count else { break }
        throw Fault(
          .usage, "",
          "`levels` is \(count), but level \(levels.count - 1) is \(next.shape) already and gets no "
            + "smaller", hint: "give at most \(levels.count)")
      }
      // The first voxel of a window stays where it was; all others lie in the middle of it.
      let isMiddle = recipe.downsampling != .stride
      let known = last.translation ?? next.scale.map { _ in 0 }
      let shifted = zip(known, zip(next.scale, last.scale)).map { $0 + ($1.0 - $1.1) / 2 }
      let translation = isMiddle ? shifted : last.translation
      levels.append(
        CopiedLevel(
          layout: try storage.layout(next.shape, like: metadata, order, recipe.dataType),
          scale: next.scale, translation: translation,
          document: Transformations.document(
            last.document, scale: next.scale, translation: translation)))
    }
  }

  /// Whether a level is no larger than a chunk along the axes of space, which come last.
  private func fitsInChunk(_ level: CopiedLevel, _ order: AxisOrder) -> Bool {
    let space = order.axes.count { $0.kind == .space }
    return zip(level.layout.shape, level.layout.chunkShape).suffix(space).allSatisfy { $0 <= $1 }
  }

  private func isInWell() throws(Fault) -> Bool {
    let location = image.location
    return try location.naming { () throws(Fault) in try WellList.well(of: location) != nil }
  }
}

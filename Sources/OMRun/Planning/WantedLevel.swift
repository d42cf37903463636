import OMImage
import OMJSON
import OMTask
import OMZarr

/// The shape and voxel size of a level as it is to be.
struct WantedLevel: Sendable, Equatable {
  var shape: [Int]
  var scale: [Double]
}

/// Finds the levels that an image is to have.
struct LevelChooser {
  let source: SourceImage
  let recipe: PyramidRecipe

  private var existing: [WantedLevel] {
    zip(source.arrays, source.image.levels).map {
      WantedLevel(shape: $0.metadata.shape, scale: $1.scale)
    }
  }

  /// The levels that the recipe asks for, the finest included.
  ///
  /// - Throws: `usage` for more levels than there can be, `unsupported` for levels that are there and
  ///   cannot be made of the finest.
  func levels() throws(Fault) -> [WantedLevel] {
    let known = recipe.factors == nil ? existing : Array(existing.prefix(1))
    try check(known)
    let count = recipe.levels ?? (source.arrays.count > 1 ? source.arrays.count : nil)
    var levels = Array(known.prefix(count ?? 1))
    while let last = levels.last, levels.count < count ?? Int.max {
      if count == nil && fitsInChunk(last) { break }
      let next = coarser(last)
      if next.shape == last.shape {
        // Only who gave a number is told that it is too large.
        guard let wanted = recipe.levels else { break }
        throw Fault(
          .usage, "",
          "`levels` is \(wanted), but level \(levels.count - 1) is \(last.shape) already and gets "
            + "no smaller", hint: "give at most \(levels.count)")
      }
      levels.append(next)
    }
    return levels
  }

  /// The levels of a label image that fit those of its image.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - levels: Its levels.
  /// - Returns: The levels; nil when the finest level of the label image is none of the image's.
  func levels(fitting image: SourceImage, _ levels: [WantedLevel]) -> [WantedLevel]? {
    guard let finest = existing.first else { return nil }
    let space = source.axes.space
    let places = space.map { axis in
      image.image.axes.firstIndex { $0.name == source.image.axes[axis].name }
    }
    if places.contains(nil) { return nil }
    let pairs = zip(space, places.compactMap(\.self)).map { (own: $0, theirs: $1) }
    let start = levels.firstIndex { level in
      pairs.allSatisfy {
        level.shape[$0.theirs] == finest.shape[$0.own] || finest.shape[$0.own] == 1
      }
    }
    guard let start else { return nil }
    return levels[start...].map { level in
      var own = finest
      for pair in pairs where finest.shape[pair.own] > 1 || levels[start].shape[pair.theirs] == 1 {
        own.shape[pair.own] = level.shape[pair.theirs]
        let (from, to) = (levels[start].scale[pair.theirs], level.scale[pair.theirs])
        own.scale[pair.own] =
          finest.scale[pair.own] == from ? to : finest.scale[pair.own] * (to / from)
      }
      return own
    }
  }

  private func check(_ levels: [WantedLevel]) throws(Fault) {
    for (number, level) in levels.enumerated() {
      let before = levels[max(0, number - 1)].shape
      let others = level.shape.indices.filter { !source.axes.space.contains($0) }
      if let axis = others.first(where: { level.shape[$0] != before[$0] }) {
        throw Fault(
          .unsupported, "",
          "level \(number) has \(level.shape[axis]) along \(source.image.axes[axis].name), the level "
            + "before \(before[axis]), only axes of space get smaller",
          hint: "`--factors 2` makes other levels")
      }
      if level.shape.contains(0) {
        throw Fault(
          .unsupported, "", "level \(number) has no voxels: \(level.shape)",
          hint: "`--factors 2` makes other levels")
      }
    }
  }

  /// Whether a level is no larger than a chunk along the axes that get smaller.
  private func fitsInChunk(_ level: WantedLevel) -> Bool {
    let chunk = source.arrays[0].metadata.innerChunkShape
    return source.axes.space.allSatisfy { axis in
      level.shape[axis] <= chunk[axis] || recipe.factors?[axis] == 1
    }
  }

  private func coarser(_ level: WantedLevel) -> WantedLevel {
    let factors = recipe.factors ?? halves(level)
    var next = level
    for axis in source.axes.space where level.shape[axis] > 1 {
      next.shape[axis] = (level.shape[axis] + factors[axis] - 1) / factors[axis]
      next.scale[axis] = level.scale[axis] * Double(factors[axis])
    }
    return next
  }

  /// Factors that make voxels as cubic as they can be: 2 along every axis of space whose voxels are less
  /// than twice as long as the shortest.
  private func halves(_ level: WantedLevel) -> [Int] {
    let axes = source.axes.space.filter { level.shape[$0] > 1 }
    let plane = source.axes.space.suffix(2)
    // Lengths in different units cannot be compared; then planes get smaller.
    let isComparable = Set(axes.map { source.image.axes[$0].unit }).count <= 1
    let shortest = axes.map { abs(level.scale[$0]) }.min() ?? 1
    return level.shape.indices.map { axis in
      guard axes.contains(axis) else { return 1 }
      return (isComparable ? abs(level.scale[axis]) < 2 * shortest : plane.contains(axis)) ? 2 : 1
    }
  }
}

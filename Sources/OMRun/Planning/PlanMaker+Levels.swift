import OMImage
import OMJSON
import OMTask
import OMZarr

/// The levels to be made of one image and its label images.
struct LevelsChoice: Sendable {
  /// The image, then the label images that change with it; none when there is nothing to do.
  var plans: [LevelsPlan] = []
  /// The image that holds the stage: the image, or the one that the label image belongs to.
  var home: ImageLocation
  /// What people should know.
  var notes: [String] = []
}

extension PlanMaker {
  /// The levels that a recipe asks for.
  ///
  /// - Throws: `usage` for what cannot be done in place, and what the levels that are there make
  ///   impossible.
  func levels(_ recipe: PyramidRecipe) throws(Fault) -> LevelsChoice {
    if !options.select.isEmpty {
      throw Fault(.usage, "", "`--select` is given, but levels are made of the whole image")
    }
    if roiTable != nil {
      throw Fault(.usage, "", "`--roi-table` is given, but levels are made of the whole image")
    }
    if options.output != nil {
      throw Fault(
        .usage, "", "`--output` is given, but levels are made in the image",
        hint: "`omtask run convert --output` copies the image first")
    }
    _ = try source.array(0)
    let parent = try image.location.naming { () throws(Fault) in
      try LabelName.image(of: image.location)
    }
    var choice = LevelsChoice(home: parent ?? image.location)
    let wanted = try wanted(recipe, parent)
    if wanted.count < 2 { return choice }
    let isLabel = parent != nil || image.isLabel
    let method = recipe.downsampling ?? (isLabel ? .mode : .mean)
    choice.plans = [try plan(source, wanted, method, recipe)]
    if isLabel { return choice }
    for name in try image.labelsList().names {
      let label = try SourceImage(label: name, of: image)
      let own = zip(label.arrays, label.image.levels).map {
        WantedLevel(shape: $0.metadata.shape, scale: $1.scale)
      }
      let chooser = LevelChooser(source: label, recipe: recipe)
      guard let fitting = chooser.levels(fitting: source, wanted) else {
        choice.notes.append("label image \(name) has another size, its levels stay as they are")
        continue
      }
      if fitting == own { continue }
      if recipe.labels == .leave || fitting.count < 2 {
        choice.notes.append("the levels of label image \(name) do not fit those of the image")
        continue
      }
      choice.plans.append(try plan(label, fitting, .mode, recipe))
    }
    return choice
  }

  /// The levels of the image; those of the image that it belongs to when it is a label image.
  private func wanted(
    _ recipe: PyramidRecipe, _ parent: ImageLocation?
  ) throws(Fault) -> [WantedLevel] {
    let chooser = LevelChooser(source: source, recipe: recipe)
    guard let parent, recipe.levels == nil, recipe.factors == nil else {
      return try chooser.levels()
    }
    let home = try SourceImage(parent)
    let levels = zip(home.arrays, home.image.levels).map {
      WantedLevel(shape: $0.metadata.shape, scale: $1.scale)
    }
    if let fitting = chooser.levels(fitting: home, levels) { return fitting }
    return try chooser.levels()
  }

  private func plan(
    _ source: SourceImage, _ wanted: [WantedLevel], _ downsampling: Downsampling,
    _ recipe: PyramidRecipe
  ) throws(Fault) -> LevelsPlan {
    let base = source.arrays[0].path
    // What lies in the finest level would go with an old level, or the finest with it.
    for path in source.arrays.dropFirst().map(\.path)
    where path == base || path.hasPrefix(base + "/") || base.hasPrefix(path + "/") {
      throw Fault(
        .unsupported, path, "a level lies in the finest one, `\(base)`, or the other way round")
    }
    return try LevelsPlan(
      source, wanted, downsampling, fromBase: recipe.fromBase, growth: options.growth,
      damage: damage)
  }
}

import OMGrid
import OMImage
import OMJSON
import OMTask
import OMZarr

/// Turns recipes into plans for one image.
struct PlanMaker {
  let source: SourceImage
  let options: RunOptions
  /// Takes damaged chunks; nil makes them faults.
  let damage: DamageLog?

  var image: OMEImage { source.image }

  /// The plan of a label image, and the image whose voxels are read for it.
  func label(_ recipe: LabelRecipe) throws(Fault) -> (plan: LabelPlan, source: OMEImage) {
    var recipe = recipe
    var source = source
    if let name = recipe.label {
      source = try SourceImage(label: name, of: image)
      recipe.keepsChannelAxis = source.axes.channel != nil
      recipe.channels = Array(0..<source.info.channelCount)
    }
    let shape = try source.array(recipe.level).metadata.shape
    let plan = LabelPlan(
      recipe: recipe, name: recipe.name ?? standardName(recipe),
      sources: Array(source.arrays[recipe.level...]),
      scales: source.image.levels[recipe.level...].map(\.scale), axes: source.axes,
      axisNames: source.image.axes.map(\.name),
      selection: try source.selection(options.select, shape), damage: damage)
    if plan.processedVoxels == 0 {
      let chosen = recipe.channels.map(String.init).joined(separator: ", ")
      throw Fault(.usage, "", "`--select` leaves out the chosen channel (index \(chosen))")
    }
    return (plan, source.image)
  }

  /// The plan of a derived image.
  func derived(_ recipe: ImageRecipe) throws(Fault) -> DerivedPlan {
    let shape = try source.array(0).metadata.shape
    var recipe = recipe
    var ingredients: [String] = []
    if case .illumination(let illumination) = recipe.making {
      let profiles = try ProfileSet(illumination, source)
      recipe.making = .tiles { profiles.kernel($0) }
      recipe.countedNote = "voxels were above the largest number of the type and have it now"
      ingredients = profiles.digests
    }
    var plan = try DerivedPlan(
      recipe: recipe, name: try name(recipe), sources: source.arrays,
      scales: image.levels.map(\.scale), axes: source.axes, axisNames: image.axes.map(\.name),
      letters: image.axes.map(\.letter),
      selection: try source.selection(options.select, shape), damage: damage)
    plan.ingredients = ingredients
    return plan
  }

  /// The plans of the levels of a copy; the finest ones when there is a number of them.
  func copies(
    _ recipe: ImageRecipe, _ storage: StoragePlan, _ count: Int?
  ) throws(Fault) -> [CopyPlan] {
    if !options.select.isEmpty {
      throw Fault(.usage, "", "`--select` is given, but an image is copied as a whole")
    }
    if options.output == nil, storage.version != image.version, try isInWell() {
      throw Fault(
        .usage, "",
        "the plate is of OME-Zarr \(image.version.rawValue), an image of "
          + "\(storage.version.rawValue) cannot be listed in it",
        hint: "`--ome-version \(image.version.rawValue)` can, or give another place by `--output`")
    }
    if let count, count > source.arrays.count {
      throw Fault(.usage, "", "`levels` is \(count), the image has \(source.arrays.count)")
    }
    let name = try name(recipe)
    var copies: [CopyPlan] = []
    for level in 0..<(count ?? source.arrays.count) {
      let array = try source.array(level)
      let layout = try storage.layout(
        array.metadata, source.axes, recipe.dataType, image.axes.map(\.name))
      copies.append(
        CopyPlan(
          name: name, level: level, source: array, layout: layout, axes: source.axes,
          damage: damage))
    }
    return copies
  }

  private func isInWell() throws(Fault) -> Bool {
    let location = image.location
    return try location.naming { () throws(Fault) in try WellList.well(of: location) != nil }
  }

  /// The name of a derived image.
  private func name(_ recipe: ImageRecipe) throws(Fault) -> String {
    if let output = options.output { return try SeparatePath(output).name }
    let suffix = recipe.suffix
    let name = DerivedDocuments.name(of: image.location, suffix: suffix)
    if suffix.isEmpty { throw Fault(.usage, "", "`suffix` is empty") }
    try LabelName.check(name, besides: [], kind: "image")
    return name
  }

  private func standardName(_ recipe: LabelRecipe) -> String {
    if recipe.keepsChannelAxis || image.channelAxis == nil {
      return LabelName.standard(channel: nil, index: nil)
    }
    let index = recipe.channels.first ?? 0
    let known = image.channels ?? []
    return LabelName.standard(
      channel: index < known.count ? known[index].label : nil, index: index)
  }
}

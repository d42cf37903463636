import OMGrid
import OMImage
import OMJSON
import OMTables
import OMTask
import OMZarr

/// Turns recipes into plans for one image.
struct PlanMaker {
  let source: SourceImage
  let options: RunOptions
  /// The ROI table whose boxes are processed; nil takes what `--select` leaves.
  let roiTable: RegionTable?
  /// Takes damaged chunks; nil makes them faults.
  let damage: DamageLog?
  /// The place of the image in its plate, where a new plate is made of that.
  var field: PlateField?

  var image: OMEImage { source.image }

  /// The plan of a label image, and the image whose voxels are read for it.
  func label(_ recipe: LabelRecipe) throws(Fault) -> (plan: LabelPlan, source: OMEImage) {
    var recipe = recipe
    var source = source
    if let name = recipe.label {
      source = try SourceImage(
        label: name, of: image, matchingLevels: options.firstLevel > 0)
      recipe.keepsChannelAxis = source.axes.channel != nil
      recipe.channels = Array(0..<source.info.channelCount)
    }
    let (image, level) = (source, recipe.level)
    if let expansion = recipe.filter?.expansion {
      _ = try source.array(level)
      recipe.filter?.expansion = try expansion.measured(in: source.info, level: level)
    }
    let selection = try source.selection(options.select, roiTable, level: level)
    let name = recipe.name ?? standardName(recipe)
    // Before 0.3 label images have all five axes too.
    if source.image.version.hasFixedAxes { recipe.keepsChannelAxis = true }
    var plan = LabelPlan(
      recipe: recipe, name: name,
      sources: Array(source.arrays[recipe.level...]),
      scales: source.image.levels[recipe.level...].map(\.scale), axes: source.axes,
      axisNames: source.image.axes.map(\.name),
      selection: selection,
      masking: try recipe.masking.map { (name) throws(Fault) in
        try MaskingLabel(name, for: image, in: self.image, level: level)
      }, growth: options.growth, damage: damage)
    plan.keySeparator = self.image.version.keySeparator
    if recipe.objects?.clearsBorder == true, plan.selection.boxes != nil {
      throw Fault(
        .usage, "", "`clear_border` is given, but the boxes of `--roi-table` make no single box",
        hint: "leave one of them out, or select one box with `--select`")
    }
    if recipe.tiles != nil || recipe.filter != nil, plan.selection.boxes != nil {
      throw Fault(
        .usage, "", "`--roi-table` is given, but the task takes one box",
        hint: "select one box with `--select`")
    }
    if plan.processedVoxels == 0 {
      let chosen = recipe.channels.map(String.init).joined(separator: ", ")
      throw Fault(.usage, "", "`--select` leaves out the chosen channel (index \(chosen))")
    }
    return (plan, source.image)
  }

  /// The plan of a derived image.
  func derived(_ recipe: ImageRecipe) throws(Fault) -> DerivedPlan {
    var recipe = recipe
    var ingredients: [String] = []
    var boxes = roiTable
    if case .illumination(let illumination) = recipe.making {
      let fields = try fieldTable(illumination)
      boxes = fields ?? roiTable
      let profiles = try ProfileSet(illumination, source, fields)
      recipe.making = .tiles { profiles.kernel($0) }
      recipe.countedNote = "voxels were above the largest number of the type and have it now"
      ingredients = profiles.digests
    }
    let selection = try source.selection(options.select, boxes, level: 0)
    var plan = try DerivedPlan(
      recipe: recipe, name: try name(recipe), sources: source.arrays,
      scales: image.levels.map(\.scale), axes: source.axes, axisNames: image.axes.map(\.name),
      letters: image.axes.map(\.letter), selection: selection, growth: options.growth,
      damage: damage)
    plan.ingredients = ingredients
    plan.keySeparator = image.version.keySeparator
    return plan
  }

  /// The table of the fields of view, which are what is processed then.
  private func fieldTable(_ illumination: Illumination) throws(Fault) -> RegionTable? {
    guard let name = illumination.fields else { return nil }
    if let roiTable {
      throw Fault(
        .usage, "", "`field_table` is `\(name)`, with `--roi-table \(roiTable.name)`",
        hint: "leave one of them out: the boxes of `field_table` are what is processed")
    }
    return try RegionTable.read(name, of: image)
  }

  private func standardName(_ recipe: LabelRecipe) -> String {
    // Before 0.3 an image without channels has an axis of one for them.
    let hasNone = image.version.hasFixedAxes && source.info.channelCount == 1
    if recipe.keepsChannelAxis || image.channelAxis == nil || hasNone {
      return LabelName.standard(channel: nil, index: nil)
    }
    let index = recipe.channels.first ?? 0
    let known = image.channels ?? []
    return LabelName.standard(
      channel: index < known.count ? known[index].label : nil, index: index)
  }
}

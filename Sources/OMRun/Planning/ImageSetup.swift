import OMGrid
package import OMImage
package import OMJSON
import OMTask
import OMZarr

/// One image with everything that is known before its voxels are read.
package struct ImageSetup: Sendable {
  /// The image.
  package let image: OMEImage
  /// The label images to make; none when there is nothing to do.
  package let plans: [LabelPlan]
  /// Takes the damaged chunks that this rank meets; nil when they are faults.
  let damage: DamageLog?

  /// Opens an image and asks the task what to make of it.
  ///
  /// - Throws: What is wrong with the image's metadata, or with the parameters for this image.
  package init(_ location: ImageLocation, _ request: RunRequest) throws(Fault) {
    let image = try OMEImage.open(location)
    self.image = image
    let damage = request.options.onDamage == .fill ? DamageLog() : nil
    self.damage = damage
    let arrays = try image.arrays()
    let axes = try ImageAxes(
      kinds: image.axes.map(\.kind.rawValue), subject: location.displayName)
    let info = ImageInfo(
      name: image.name, axes: image.axes.map(\.letter),
      levelShapes: arrays.map(\.metadata.shape), dataType: arrays[0].metadata.dataType,
      channels: image.channels?.map {
        ImageInfo.Channel(label: $0.label, wavelengthID: $0.wavelengthID)
      })
    do throws(Fault) {
      let task = try request.entry.task.init(request.parameters)
      var plans: [LabelPlan] = []
      for recipe in try task.recipes(for: info) {
        plans.append(
          try ImageSetup.plan(recipe, image, arrays, axes, request.options, damage))
      }
      self.plans = plans
      try ImageSetup.check(plans)
    } catch  where error.subject.isEmpty {
      var fault = error
      fault.subject = location.displayName
      throw fault
    }
  }

  private static func plan(
    _ recipe: LabelRecipe, _ image: OMEImage, _ arrays: [ZarrArray], _ axes: ImageAxes,
    _ options: RunOptions, _ damage: DamageLog?
  ) throws(Fault) -> LabelPlan {
    guard recipe.level < arrays.count else {
      throw Fault(
        .usage, "", "`level` is \(recipe.level), the image has levels 0 to \(arrays.count - 1)")
    }
    let source = arrays[recipe.level]
    if source.metadata.shape.contains(0) {
      throw Fault(.unsupported, "", "level \(recipe.level) has no voxels: \(source.metadata.shape)")
    }
    let plan = LabelPlan(
      recipe: recipe, name: recipe.name ?? standardName(recipe, image),
      sources: Array(arrays[recipe.level...]), scales: image.levels[recipe.level...].map(\.scale),
      axes: axes, axisNames: image.axes.map(\.name),
      selection: try selection(options.select, image, source.metadata.shape), damage: damage)
    if plan.processedVoxels == 0 {
      let chosen = recipe.channels.map(String.init).joined(separator: ", ")
      throw Fault(.usage, "", "`--select` leaves out the chosen channel (index \(chosen))")
    }
    return plan
  }

  private static func standardName(_ recipe: LabelRecipe, _ image: OMEImage) -> String {
    if recipe.keepsChannelAxis || image.channelAxis == nil {
      return LabelName.standard(channel: nil, index: nil)
    }
    let index = recipe.channels.first ?? 0
    let known = image.channels ?? []
    return LabelName.standard(
      channel: index < known.count ? known[index].label : nil, index: index)
  }

  /// The selected box of a level.
  private static func selection(
    _ select: [String: SelectionRange], _ image: OMEImage, _ shape: [Int]
  ) throws(Fault) -> Region {
    var box = Region(wholeOf: shape)
    for (letter, range) in select.sorted(by: { $0.key < $1.key }) {
      guard let axis = image.axes.firstIndex(where: { $0.letter == letter }) else {
        throw Fault(
          .usage, "",
          "`--select` names the axis `\(letter)`, the image has "
            + image.axes.map(\.letter).joined(separator: ", "))
      }
      let upper = min(range.upper ?? shape[axis], shape[axis])
      if range.lower < 0 || range.lower >= upper {
        throw Fault(
          .usage, "",
          "`--select \(letter)=\(range.lower):\(range.upper.map(String.init) ?? "")` "
            + "leaves nothing of an axis of \(shape[axis])")
      }
      box.origin[axis] = range.lower
      box.shape[axis] = upper - range.lower
    }
    return box
  }

  /// Refuses names that two label images share and regions that are too large to label.
  private static func check(_ plans: [LabelPlan]) throws(Fault) {
    for plan in plans {
      try LabelName.check(plan.name, besides: plans.map(\.name).filter { $0 != plan.name })
      if plans.filter({ $0.name == plan.name }).count > 1 {
        throw Fault(
          .usage, "", "two channels would both make the label image `\(plan.name)`",
          hint: "process them one by one with `--label-name`")
      }
      let largest = plan.grid.cells.cellShape.reduce(1, *)
      if plan.recipe.objects != nil && largest >= Int(UInt32.max) {
        throw Fault(
          .limit, "",
          "a write unit holds \(largest) voxels, objects can be labelled in at most "
            + "\(UInt32.max - 1)", hint: "convert the image to smaller chunks or shards first")
      }
    }
  }
}

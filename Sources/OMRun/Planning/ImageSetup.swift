import OMGrid
package import OMImage
package import OMJSON
import OMManifest
import OMTask
import OMZarr

/// One image with everything that is known before its voxels are read.
package struct ImageSetup: Sendable {
  /// The image.
  package let image: OMEImage
  /// The images to make; none when there is nothing to do.
  package let plans: [any ArrayPlan]
  /// The label images to make, when that is what the task makes.
  package let labels: [LabelPlan]
  /// The derived image to make, when that is what the task makes.
  package let derived: DerivedPlan?
  /// The types of what is made, as Fractal knows them: those of the image, and those of the task.
  let types: [String: Bool]
  /// Why there is nothing to do, where that is not plain.
  let note: String?
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
    let given = ImageSetup.types(of: image)
    types = given.merging(request.manifest.outputTypes) { $1 }
    // An image that is named by itself is taken whatever it is.
    note = location.field == nil ? nil : ImageSetup.refusal(request.manifest, given)
    if note != nil {
      plans = []
      labels = []
      derived = nil
      return
    }
    let arrays = try image.arrays()
    let axes = try ImageAxes(
      kinds: image.axes.map(\.kind.rawValue), subject: location.displayName)
    let info = ImageInfo(
      name: image.name, axes: image.axes.map(\.letter),
      levelShapes: arrays.map(\.metadata.shape), levelScales: image.levels.map(\.scale),
      units: image.axes.map(\.unit), dataType: arrays[0].metadata.dataType,
      channels: image.channels?.map {
        ImageInfo.Channel(label: $0.label, wavelengthID: $0.wavelengthID)
      })
    do throws(Fault) {
      let task = try request.entry.task.init(request.parameters)
      var labels: [LabelPlan] = []
      var derived: DerivedPlan?
      switch try task.product(for: info) {
      case .labels(let recipes):
        for recipe in recipes {
          labels.append(
            try ImageSetup.plan(recipe, image, arrays, axes, request.options, damage))
        }
        try ImageSetup.check(labels)
      case .image(let recipe):
        derived = try ImageSetup.plan(recipe, image, arrays, axes, request.options, damage)
      }
      self.labels = labels
      self.derived = derived
      plans = derived.map { [$0] } ?? labels
    } catch  where error.subject.isEmpty {
      var fault = error
      fault.subject = location.displayName
      throw fault
    }
  }

  /// The types of an image, as we recorded them.
  private static func types(of image: OMEImage) -> [String: Bool] {
    let members = image.record?["types"]?.objectValue?.members ?? []
    return members.reduce(into: [:]) { types, member in
      types[member.key] = member.value.boolValue
    }
  }

  /// Why a task does not take an image of these types; nil when it does.
  private static func refusal(_ manifest: Manifest, _ types: [String: Bool]) -> String? {
    for (type, wanted) in manifest.inputTypes.sorted(by: { $0.key < $1.key })
    where (types[type] ?? false) != wanted {
      return "`\(type)` is \(!wanted), \(manifest.identifier) takes images where it is \(wanted)"
    }
    return nil
  }

  private static func plan(
    _ recipe: ImageRecipe, _ image: OMEImage, _ arrays: [ZarrArray], _ axes: ImageAxes,
    _ options: RunOptions, _ damage: DamageLog?
  ) throws(Fault) -> DerivedPlan {
    let shape = arrays[0].metadata.shape
    if shape.contains(0) { throw Fault(.unsupported, "", "level 0 has no voxels: \(shape)") }
    let name = DerivedDocuments.name(of: image.location, suffix: recipe.suffix)
    if recipe.suffix.isEmpty { throw Fault(.usage, "", "`suffix` is empty") }
    try LabelName.check(name, besides: [], kind: "image")
    return try DerivedPlan(
      recipe: recipe, name: name,
      sources: arrays, scales: image.levels.map(\.scale), axes: axes,
      axisNames: image.axes.map(\.name), letters: image.axes.map(\.letter),
      selection: try selection(options.select, image, shape), damage: damage)
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

extension ImageSetup {
  /// What the task makes.
  var outputKind: OutputReport.Kind { derived == nil ? .label : .image }

  /// The metadata of one of the images to make.
  func documents(_ index: Int, _ record: JSON) -> any GroupDocuments {
    let pyramid = plans[index].downsampling.description
    if let derived {
      let collapse = derived.collapsed.map { axis in
        DerivedDocuments.Collapse(
          axis: axis, range: derived.selection.origin[axis]..<derived.selection.end(axis))
      }
      return DerivedDocuments(
        image: image, name: derived.name, collapse: collapse, pyramid: pyramid, record: record)
    }
    let plan = labels[index]
    return LabelDocuments(
      image: image, version: image.version, name: plan.name, firstLevel: plan.recipe.level,
      levelCount: plan.sources.count, keepsChannelAxis: plan.recipe.keepsChannelAxis,
      pyramid: pyramid, record: record)
  }
}

import OMGrid
import OMImage
import OMJSON
import OMTables
import OMTask
import OMZarr

extension PlanMaker {
  /// The plan of a table, and the label image whose objects are measured.
  ///
  /// The voxels are those of the level of the image that has the shape of the finest level of the label
  /// image, so labels that were made of a coarser level are measured there.
  ///
  /// - Throws: `usage` when no level has, or the label image has channels.
  func table(_ recipe: TableRecipe) throws(Fault) -> (plan: TablePlan, source: OMEImage) {
    try LabelName.check(recipe.name, besides: [], kind: Shelf.tables.noun)
    let labels = try SourceImage(label: recipe.label, of: source.image)
    let array = try labels.array(0)
    let type = array.metadata.dataType
    if type.isFloat || type == .bool && recipe.sums.counts {
      throw Fault(
        .unsupported, array.path,
        "the labels are of type \(type.rawValue), expected an integer type")
    }
    if labels.axes.channel != nil {
      throw Fault(
        .unsupported, array.path,
        "the label image has a channel axis, so an object may have a number in each channel",
        hint: labels.image.version.hasFixedAxes
          ? "all images of OME-Zarr \(labels.image.version.rawValue) have one; convert the image to 0.5 first"
          : "make a label image for each channel, without `--keep-channel-axis`")
    }
    let space = try labels.measuredSpace()
    if recipe.sums.contours && !space.isFlat {
      throw Fault(
        .usage, array.path,
        "the label image has \(labels.axes.vector(space.shape).z) planes along z, and perimeters are "
          + "those of flat objects",
        hint: "measure without `perimeter`, or the objects of a projection")
    }
    let level = try matchingLevel(labels, array.metadata.shape)
    let image = try source.array(level)
    var recipe = recipe
    let selection = try source.selection(options.select, roiTable, level: level)
    if selection.boxes != nil {
      throw Fault(
        .usage, "", "the boxes of `--roi-table` make no single box, but a table is made of one",
        hint: "make a label image of the boxes first: `omtask run threshold … --roi-table`")
    }
    let whole = selection.bounds
    if let axis = source.axes.channel, !recipe.channels.isEmpty {
      let given = recipe.channels
      recipe.channels = given.filter { whole.origin[axis]..<whole.end(axis) ~= $0 }
      if recipe.channels.isEmpty {
        throw Fault(
          .usage, "",
          "`--select` leaves out the chosen channels (index "
            + given.map(String.init).joined(separator: ", ") + ")")
      }
    }
    let plan = TablePlan(
      recipe: recipe, labels: array, image: recipe.channels.isEmpty ? nil : image,
      imageAxes: source.axes, axes: labels.axes,
      selection: Region(
        origin: source.axes.withoutChannel(whole.origin),
        shape: source.axes.withoutChannel(whole.shape)),
      space: space, channelNames: names(of: recipe.channels),
      growth: options.growth, damage: damage)
    return (plan, labels.image)
  }

  /// The level of the image that has the shape of a label image.
  private func matchingLevel(_ labels: SourceImage, _ shape: [Int]) throws(Fault) -> Int {
    let mine = source.axes.withoutChannel(source.image.axes.map(\.letter))
    let theirs = labels.image.axes.map(\.letter)
    let shapes = source.arrays.map { source.axes.withoutChannel($0.metadata.shape) }
    if mine == theirs, let level = shapes.firstIndex(of: shape) { return level }
    let list = { (letters: [String], shape: [Int]) in
      zip(letters, shape).map { "\($0) \($1)" }.joined(separator: ", ")
    }
    throw Fault(
      .usage, labels.image.location.displayName,
      "the label image has \(list(theirs, shape)), which fits no level of the image",
      facts: shapes.enumerated().map { "level \($0) has \(list(mine, $1))" },
      hint: "make the label image of a level of this image")
  }

  /// What channels are called in a table: their labels where those differ, else their numbers; nothing
  /// for an image without channels.
  private func names(of channels: [Int]) -> [String] {
    if source.axes.channel == nil { return [] }
    let known = source.info.channels ?? []
    let labels = channels.map { $0 < known.count ? known[$0].label ?? "" : "" }
    let areClear = labels.allSatisfy { label in
      // A name becomes that of a folder: AnnData keeps whole numbers so.
      !label.isEmpty && !label.contains("/") && labels.filter { $0 == label }.count == 1
    }
    return areClear ? labels : channels.map(String.init)
  }
}

extension SourceImage {
  /// Where the voxels of the finest level lie.
  ///
  /// - Throws: `unsupported` for axes of space in units that are no lengths.
  fileprivate func measuredSpace() throws(Fault) -> MeasuredSpace {
    let info = info
    var sizes = info.levelScales[0]
    let own = image.levels[0].transformations
    let whole = image.transformations
    var offsets = sizes.indices.map { axis in
      (own.translation?[axis] ?? 0) * (whole?.scale[axis] ?? 1) + (whole?.translation?[axis] ?? 0)
    }
    for (axis, letter) in info.axes.enumerated() {
      guard let unit = info.units[axis] else { continue }
      let isSpace = ["z", "y", "x"].contains(letter)
      guard let factor = isSpace ? ImageInfo.micrometers[unit] : ImageInfo.seconds[unit] else {
        throw Fault(
          .unsupported, image.location.displayName,
          "the axis \(letter) is in `\(unit)`, which is no unit of \(isSpace ? "length" : "time") "
            + "known here",
          hint: "give the axis a unit such as `\(isSpace ? "micrometer" : "second")`")
      }
      sizes[axis] *= factor
      offsets[axis] *= factor
    }
    return MeasuredSpace(
      axes: info.axes, shape: arrays[0].metadata.shape, sizes: sizes, offsets: offsets,
      ownSizes: info.levelScales[0])
  }
}

extension PlanMaker {
  /// The plan of a table that is made of what regions give.
  ///
  /// - Throws: `usage` when nothing of the channel is selected, `missing` when the label image that the
  ///   rows are about is not there.
  func partials(_ recipe: PartialRecipe) throws(Fault) -> PartialPlan {
    try LabelName.check(recipe.name, besides: [], kind: Shelf.tables.noun)
    let array = try source.array(recipe.level)
    if let label = recipe.label, try !image.labelsList(.labels).names.contains(label) {
      throw Fault(
        .missing, image.location.displayName,
        "there is no label image `\(label)`, whose objects the table `\(recipe.name)` is about")
    }
    let selection = try source.selection(options.select, roiTable, level: recipe.level)
    if selection.boxes != nil {
      throw Fault(
        .usage, "", "`--roi-table` is given, but the task takes one box",
        hint: "select one box with `--select`")
    }
    let plan = PartialPlan(
      recipe: recipe, source: array, axes: source.axes, selection: selection.bounds,
      growth: options.growth, damage: damage)
    if plan.processedVoxels == 0 {
      throw Fault(
        .usage, "", "`--select` leaves out the chosen channel (index \(recipe.channel))")
    }
    return plan
  }
}

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
  /// The image whose voxels are read for each label image: the image, or another label image.
  private let labelSources: [OMEImage]
  /// The derived image to make, when that is what the task makes.
  package let derived: DerivedPlan?
  /// The levels of a copy of the image, when that is what the task makes.
  let copies: [CopyPlan]
  /// The coarser levels to make in the image and its label images, when that is what the task makes.
  let levels: [LevelsPlan]
  /// The image that holds the stage of what is made in place.
  let home: ImageLocation
  /// What people should know of levels.
  let levelNotes: [String]
  /// The version of OME-Zarr to write.
  let version: OMEVersion
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
    let source = try SourceImage(location)
    image = source.image
    damage = request.options.onDamage == .fill ? DamageLog() : nil
    let given = ImageSetup.types(of: source.image)
    types = given.merging(request.manifest.outputTypes) { $1 }
    // An image that is named by itself is taken whatever it is.
    let refusal = location.field == nil ? nil : ImageSetup.refusal(request.manifest, given)
    var labels: [(plan: LabelPlan, source: OMEImage)] = []
    var derived: DerivedPlan?
    var copies: [CopyPlan] = []
    var version = source.image.version
    var levels = LevelsChoice(home: location)
    var note = refusal
    if note == nil {
      let maker = PlanMaker(source: source, options: request.options, damage: damage)
      do throws(Fault) {
        let task = try request.entry.task.init(request.parameters)
        switch try task.product(for: source.info) {
        case .labels(let recipes):
          for recipe in recipes { labels.append(try maker.label(recipe)) }
          try ImageSetup.check(labels.map(\.plan))
        case .image(let recipe):
          if case .copy(let storage, let count) = recipe.making {
            let storage = try StoragePlan(storage, source.image, recipe.dataType)
            version = storage.version
            copies = try maker.copies(recipe, storage, count)
          } else {
            derived = try maker.derived(recipe)
          }
        case .pyramid(let recipe):
          levels = try maker.levels(recipe)
          if levels.plans.isEmpty { note = "one level is enough for an image of one chunk" }
        }
      } catch  where error.subject.isEmpty {
        var fault = error
        fault.subject = location.displayName
        throw fault
      }
    }
    var plans: [any ArrayPlan] = labels.map(\.plan)
    if let derived { plans = [derived] }
    if !copies.isEmpty { plans = copies }
    if !levels.plans.isEmpty { plans = levels.plans }
    for plan in plans {
      let type = plan.source.metadata.dataType.rawValue
      if !request.manifest.traits.dataTypes.contains(type) {
        throw Fault(
          .unsupported, plan.source.path,
          "the voxels are of type \(type), \(request.manifest.identifier) takes "
            + request.manifest.traits.dataTypes.joined(separator: ", "))
      }
    }
    self.plans = plans
    self.labels = labels.map(\.plan)
    labelSources = labels.map(\.source)
    self.derived = derived
    self.copies = copies
    self.levels = levels.plans
    home = levels.home
    levelNotes = levels.notes
    self.note = note
    self.version = version
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
  var outputKind: OutputReport.Kind {
    levels.isEmpty ? labels.isEmpty ? .image : .label : .levels
  }

  /// The images whose metadata and voxels are read, the image first.
  var sources: [OMEImage] {
    var sources = [image]
    for other in labelSources
    where !sources.contains(where: { $0.location.path == other.location.path }) {
      sources.append(other)
    }
    return sources
  }

  /// The names of the images to make; a copy is one image with many plans.
  var names: [String] { copies.isEmpty ? plans.map(\.name) : [copies[0].name] }

  /// Where the levels of a plan go.
  ///
  /// - Parameter plan: The number of the plan.
  /// - Returns: The number of the image to make, and the level of it that is the plan's finest.
  func place(_ plan: Int) -> (image: Int, level: Int) {
    copies.isEmpty ? (plan, 0) : (0, plan)
  }

  /// The level of an image to make that is the finest one written.
  var firstLevel: Int { levels.isEmpty ? 0 : 1 }

  /// The metadata of one of the images to make.
  func documents(_ index: Int, _ record: JSON) -> any GroupDocuments {
    if !levels.isEmpty {
      return StagedLevels(name: levels[index].name, version: version, record: record)
    }
    if !copies.isEmpty {
      return DerivedDocuments(
        image: image, version: version, name: image.name, levelCount: copies.count,
        record: record)
    }
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
      image: labelSources[index], version: image.version, name: plan.name,
      firstLevel: plan.recipe.level,
      levelCount: plan.sources.count, keepsChannelAxis: plan.recipe.keepsChannelAxis,
      pyramid: pyramid, record: record)
  }
}

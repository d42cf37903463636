import OMGrid
package import OMImage
package import OMJSON
import OMManifest
import OMTables
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
  /// The arrays whose voxels are read.
  let arrays: ReadArrays
  /// The image whose voxels are read for each label image, or another label image.
  ///
  /// For a table the label image whose objects are measured.
  private let labelSources: [OMEImage]
  /// The derived image to make, when that is what the task makes.
  package let derived: DerivedPlan?
  /// The table to make, when that is what the task makes.
  package let table: TablePlan?
  /// The table to make of what regions give, when that is what the task makes.
  package let partials: PartialPlan?
  /// The copy of the image, when that is what the task makes.
  let copy: CopiedImage?
  /// The coarser levels to make in the image and its label images, when that is what the task makes.
  let levels: [LevelsPlan]
  /// The image that holds the stage of what is made in place.
  let home: ImageLocation
  /// What people should know of levels.
  let levelNotes: [String]
  /// The version of OME-Zarr to write.
  let version: OMEVersion
  /// The new plate that it goes into; nil for none.
  let newPlate: NewPlate?
  /// The types of what is made, as Fractal knows them: those of the image, and those of the task.
  let types: [String: Bool]
  /// Why there is nothing to do, where that is not plain.
  let note: String?
  /// The ROI table whose boxes are processed; nil when none was asked for.
  let roiTable: RegionTable?
  /// Takes the damaged chunks that this rank meets; nil when they are faults.
  let damage: DamageLog?

  /// Opens an image and asks the task what to make of it.
  ///
  /// - Throws: What is wrong with the image's metadata, or with the parameters for this image.
  package init(_ location: ImageLocation, _ request: RunRequest) throws(Fault) {
    let source = try SourceImage(
      location, from: request.options.firstLevel,
      axes: request.entry.program.takesAnyAxisOrder ? .inAnyOrder : .inOrder)
    image = source.image
    damage = request.options.onDamage == .fill ? DamageLog() : nil
    if damage == nil, let tiff = location.store as? TiffStore { try tiff.checkComplete() }
    let given = ImageSetup.types(of: source.image)
    types = given.merging(request.manifest.outputTypes) { $1 }
    // An image that is named by itself is taken whatever it is.
    let refusal = location.isMember ? ImageSetup.refusal(request.manifest, given) : nil
    var labels: [(plan: LabelPlan, source: OMEImage)] = []
    var derived: DerivedPlan?
    var table: (plan: TablePlan, source: OMEImage)?
    var partials: PartialPlan?
    var copy: CopiedImage?
    var version = source.image.version
    var newPlate: NewPlate?
    var levels = LevelsChoice(home: location)
    var note = refusal
    if note == nil {
      do throws(Fault) {
        let roiTable = try request.options.roiTable.map { (name) throws(Fault) in
          try RegionTable.read(name, of: source.image)
        }
        self.roiTable = roiTable
        var maker = PlanMaker(
          source: source, options: request.options, roiTable: roiTable, damage: damage)
        let task = try request.entry.program.bind(
          request.parameters, request.options.surroundings)
        let product = try task.product(for: source.info)
        try PlanMaker.checkNames(product, request.options)
        switch product {
        case .labels(let recipes):
          for recipe in recipes { labels.append(try maker.label(recipe)) }
          try ImageSetup.check(labels.map(\.plan))
        case .image(let recipe):
          maker.field = try NewPlate.field(recipe, location, request.options)
          if case .copy(let copying) = recipe.making {
            let storage = try StoragePlan(copying.storage, source.image, recipe.dataType)
            version = storage.version
            copy = try maker.copy(recipe, storage, copying)
          } else {
            derived = try maker.derived(recipe)
          }
          newPlate = try maker.field.map { (field) throws(Fault) in
            try NewPlate(field, suffix: recipe.suffix, version, request.options)
          }
        case .table(let recipe): table = try maker.table(recipe)
        case .partials(let recipe): partials = try maker.partials(recipe)
        case .pyramid(let recipe):
          levels = try maker.levels(recipe)
          if levels.plans.isEmpty { note = "one level is enough for an image of one chunk" }
        }
      } catch  where error.subject.isEmpty {
        var fault = error
        fault.subject = location.displayName
        throw fault
      }
    } else {
      roiTable = nil
    }
    var plans: [any ArrayPlan] = labels.map(\.plan)
    if let derived { plans = [derived] }
    if let table { plans = [table.plan] }
    if let partials { plans = [partials] }
    if let copy { plans = copy.plans }
    if !levels.plans.isEmpty { plans = levels.plans }
    for plan in plans {
      let voxels = plan.inputs.last ?? plan.source
      let type = (table == nil ? plan.source : voxels).metadata.dataType.rawValue
      if !request.manifest.traits.dataTypes.contains(type) {
        throw Fault(
          .unsupported, (table == nil ? plan.source : voxels).path,
          "the voxels are of type \(type), \(request.manifest.identifier) takes "
            + request.manifest.traits.dataTypes.joined(separator: ", "))
      }
    }
    self.plans = plans
    arrays = try ReadArrays(plans)
    self.labels = labels.map(\.plan)
    labelSources = labels.map(\.source) + [table?.source].compactMap(\.self)
    self.derived = derived
    self.table = table?.plan
    self.partials = partials
    self.copy = copy
    self.levels = levels.plans
    home = levels.home
    levelNotes = levels.notes
    self.note = note
    self.version = version
    self.newPlate = newPlate
  }

  /// The types of an image, as we recorded them.
  static func types(of image: OMEImage) -> [String: Bool] {
    let members = image.record?["types"]?.objectValue?.members ?? []
    return members.reduce(into: [:]) { types, member in
      types[member.key] = member.value.boolValue
    }
  }

  /// The types of an image for programs of others: what we recorded, and what the image shows by itself.
  ///
  /// `is_3D` is Fractal's word for more than one plane.
  static func knownTypes(of image: OMEImage) -> [String: Bool] {
    var types = types(of: image)
    if types["is_3D"] == nil, let array = try? image.array(0) {
      let depth = image.axes.firstIndex { $0.name == "z" }
      types["is_3D"] = depth.map { array.metadata.shape[$0] > 1 } ?? false
    }
    return types
  }

  /// Why a task does not take an image of these types; nil when it does.
  static func refusal(_ manifest: Manifest, _ types: [String: Bool]) -> String? {
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
      let finds =
        plan.recipe.objects != nil || plan.recipe.filter?.holes != nil
        || plan.clearsParts
      if finds && largest >= Int(UInt32.max) {
        throw Fault(
          .limit, "",
          "a write unit holds \(largest) voxels, objects can be labelled in at most "
            + "\(UInt32.max - 1)", hint: "convert the image to smaller chunks or shards first")
      }
    }
  }
}

extension ImageSetup {
  /// What the table is about that the task makes; nil for images.
  var tableKind: TableKind? {
    if let table { return table.recipe.kind }
    return partials.map { $0.recipe.label == nil ? .generic : .features }
  }

  /// What the task makes.
  var outputKind: OutputReport.Kind {
    if table != nil || partials != nil { return .table }
    return levels.isEmpty ? labels.isEmpty ? .image : .label : .levels
  }

  /// The images whose metadata and voxels are read, the image first.
  var sources: [OMEImage] {
    var sources = [image]
    for other in labelSources + labels.compactMap(\.masking?.image)
    where !sources.contains(where: { $0.location.path == other.location.path }) {
      sources.append(other)
    }
    return sources
  }

  /// The names of the images to make; a copy is one image with many plans.
  var names: [String] { copy == nil ? plans.map(\.name) : plans.prefix(1).map(\.name) }

  /// Where the levels of a plan go.
  ///
  /// - Parameter plan: The number of the plan.
  /// - Returns: The number of the image to make, and the level of it that is the plan's finest.
  func place(_ plan: Int) -> (image: Int, level: Int) {
    copy == nil ? (plan, 0) : (0, plan)
  }

  /// The level of an image to make that is the finest one written.
  var firstLevel: Int { levels.isEmpty ? 0 : 1 }

  /// The metadata of one of the images to make, or of a table with its columns.
  func documents(_ index: Int, _ record: JSON, _ facts: TableFacts?) -> any GroupDocuments {
    if !levels.isEmpty {
      return StagedLevels(name: levels[index].name, version: version, record: record)
    }
    if let table {
      return TableDocuments(
        name: table.name, version: version, kind: tableKind ?? .generic,
        backend: table.recipe.backend, label: table.recipe.label,
        features: facts?.features ?? [], keepsIndexTexts: facts?.hasUnsignedNames ?? false,
        record: record)
    }
    if let partials {
      let recipe = partials.recipe
      return TableDocuments(
        name: partials.name, version: version, kind: tableKind ?? .generic,
        backend: recipe.backend, label: recipe.label,
        features: facts?.features ?? [], record: record)
    }
    if let copy { return copy.documents(of: image, version, name: image.name, record: record) }
    let pyramid = plans[index].downsampling.description
    if let derived {
      let collapse = derived.collapsed.map { axis in
        DerivedDocuments.Collapse(
          axis: axis,
          range: derived.selection.bounds.origin[axis]..<derived.selection.bounds.end(axis))
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

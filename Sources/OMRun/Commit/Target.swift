import OMImage
import OMJSON
import OMStore
import OMZarr

/// Where the results of one image go, and what is there already.
struct Target: Sendable {
  let image: OMEImage
  let names: [String]
  /// The group of the image in which results lie that are not elsewhere.
  let shelf: Shelf
  /// An OME-Zarr of its own; nil for label images in the image.
  let output: SeparatePath?
  /// Where in a bucket the results go; nil for a disk.
  private(set) var bucket: BucketPlace?
  /// What is to list the result: the well of the image, or a new plate.
  let register: (any ResultRegister)?
  /// The path from the result to the image.
  let source: String
  let overwrites: Bool
  /// The images whose levels change in their place.
  let levels: [LevelsNode]
  /// The image that holds the stage of what is made in place.
  let home: ImageLocation
  /// The flag that gives the result another name.
  private let nameFlag: String?
  /// What may be replaced in the image.
  private let replacement: Replacement

  init(_ request: RunRequest, _ setup: ImageSetup) throws(Fault) {
    image = setup.image
    names = setup.names
    shelf = setup.outputKind == .table ? .tables : .labels
    overwrites = request.options.overwrite
    replacement = Replacement(
      image: setup.image.location, shelf: shelf, kind: setup.tableKind)
    home = setup.home
    levels = setup.levels.map {
      LevelsNode(
        location: $0.location, home: setup.home, version: setup.version, finest: $0.stamp,
        edit: $0.edit)
    }
    if request.options.output == nil || !levels.isEmpty {
      try OutputRules.checkWritable(image.location, inPlace: !levels.isEmpty)
    }
    if !levels.isEmpty, let version = image.nodeVersion {
      throw Fault(
        .unsupported, image.location.displayName,
        "its metadata are a node of RFC-8 (\(version)), whose levels are not replaced",
        hint: "`omtask run convert --output` makes a copy whose levels can be")
    }
    let uri = request.options.output
    let isRemote = uri.map(RemoteStore.takes) ?? false
    if let uri, !isRemote { try OutputRules.checkArchive(try SeparatePath(uri), setup) }
    if !levels.isEmpty {
      output = nil
      register = nil
      source = ""
      nameFlag = nil
    } else if let plate = setup.newPlate {
      if request.options.output != nil { try OutputRules.checkApart(plate.path, image.location) }
      output = plate.image
      register = PlateRegister(plate: plate)
      source = plate.imageSource
      nameFlag = request.options.output == nil ? "--suffix" : nil
    } else if let uri, isRemote {
      bucket = try BucketPlace(uri, setup.names, apartFrom: image.location)
      output = nil
      register = nil
      source = image.location.displayName
      nameFlag = nil
    } else if let uri {
      let path = try SeparatePath(uri)
      try OutputRules.checkApart(path, image.location)
      output = path
      register = nil
      source = image.location.displayName
      nameFlag = nil
    } else if setup.outputKind == .image, let name = setup.names.first {
      bucket = try BucketPlace(beside: image.location, name)
      output = bucket == nil ? try SeparatePath(beside: image.location, name: name) : nil
      register = try WellRegister(image.location, name: name)
      source = "../\(image.location.name)"
      nameFlag = "--suffix"
    } else {
      bucket = BucketPlace(in: image.location, shelf, setup.names)
      output = nil
      register = nil
      source = LabelDocuments.sourceInPlace
      nameFlag = shelf == .tables ? "--table-name" : "--label-name"
    }
  }

  /// Where a result will be.
  func uri(_ label: Int) -> String {
    if !levels.isEmpty { return levels[label].location.displayName }
    if let bucket { return bucket.uri(label) }
    if let output { return joinedKey(output.uri, SeparateOutput.paths(names)[label]) }
    return "\(image.location.displayName)/\(shelf.name)/\(names[label])"
  }

  /// What was found in the places of the results.
  struct Finding {
    /// What is to do.
    let state: State
    /// The records of the results that are there.
    let records: [JSON?]
    /// Which of them are replaced though omtask did not make them.
    var replaced: [Int] = []
  }

  /// What a run has to do.
  enum State: UInt8 {
    /// Make the results.
    case open
    /// Nothing: they are there.
    case done
    /// Only list them: a run was stopped between moving and listing.
    case unlisted
  }

  /// Tells what is there already.
  ///
  /// *Local*, rank 0.
  ///
  /// - Parameters:
  ///   - runID: The run.
  ///   - overwrites: Whether another result may have a name; nil takes what the request says.
  /// - Returns: What was found, and what is to do.
  /// - Throws: A fault of kind `exists` when another result has a name and is not to be replaced.
  func look(runID: String, overwrites: Bool? = nil) throws(Fault) -> Finding {
    if !levels.isEmpty { return try lookAtLevels(runID) }
    var records: [JSON?] = []
    var replaced: [Int] = []
    var known = 0
    try register?.check()
    let list = try listed()
    for label in names.indices {
      let found = try existing(label, besides: list, runID)
      records.append(found?.record)
      guard let found else { continue }
      if Provenance.isOf(runID, found.record) {
        known += 1
      } else if !(overwrites ?? self.overwrites) {
        throw taken(label, found)
      } else {
        try checkReplaceable()
        try checkReplaceable(label)
        if found.record == nil { replaced.append(label) }
      }
    }
    // Some in their place and some not: a run was stopped between two moves.
    if known < names.count { return Finding(state: .open, records: records, replaced: replaced) }
    let isListed = list.map { names.allSatisfy($0.contains) } ?? true
    return Finding(state: isListed ? .done : .unlisted, records: records)
  }

  private func lookAtLevels(_ runID: String) throws(Fault) -> Finding {
    var records: [JSON?] = []
    for index in levels.indices { records.append(try self.records(index).first ?? nil) }
    return Finding(state: try areMade(runID) ? .done : .open, records: records)
  }

  /// Whether the metadata of all images list levels of a run.
  func areMade(_ runID: String) throws(Fault) -> Bool {
    for index in levels.indices where try !isMade(index, runID) { return false }
    return true
  }

  /// Whether the metadata of an image list levels of a run, all of them.
  func isMade(_ index: Int, _ runID: String) throws(Fault) -> Bool {
    let records = try records(index)
    return records.count == levels[index].edit.transformations.count
      && records.allSatisfy { Provenance.isOf(runID, $0) }
  }

  /// Our records of the coarser levels of an image, as they are now.
  private func records(_ index: Int) throws(Fault) -> [JSON?] {
    let location = levels[index].location
    return try OMEImage.open(location).levels.dropFirst().map { level in
      let path = joinedKey(location.path, level.path)
      return (try? ArrayMetadata.read(location.store, path: path))?.attributes["omtask"]
    }
  }

  /// Refuses to replace what omtask did not make.
  ///
  /// - Parameter path: Where it lies now; nil in its place.
  /// - Throws: A fault of kind `exists` that names what is in the way.
  func checkReplaceable(in path: String? = nil) throws(Fault) {
    if let bucket { return try bucket.checkReplaceable(shelf) }
    guard let output else { return }
    try OutputRules.checkOwn(output, names, shelf, in: path)
  }

  /// Refuses to replace in the image what is no result of the same kind, or holds more; results elsewhere are
  /// another matter.
  ///
  /// - Throws: A fault of kind `exists` that names what is in the way.
  func checkReplaceable(_ label: Int) throws(Fault) {
    if output != nil || bucket?.isApart ?? false { return }
    try replacement.check(names[label], uri(label))
  }

  /// What to tell of a result that is replaced though omtask did not make it.
  func warning(ofReplaced label: Int) -> String {
    "\(uri(label)) was not made by omtask; `--overwrite` replaces it"
  }

  /// The names that the image or the well lists; nil when nothing lists the results.
  private func listed() throws(Fault) -> [String]? {
    if let register { return try register.isListed() ? names : [] }
    if let bucket, bucket.isApart { return nil }
    return output == nil ? try image.labelsList(shelf).names : nil
  }

  private func existing(
    _ label: Int, besides list: [String]?, _ runID: String
  ) throws(Fault) -> ExistingLabel? {
    if let bucket {
      if !bucket.isApart {
        try LabelName.check(names[label], besides: list ?? [], kind: shelf.noun)
      }
      return try bucket.existing(label, runID)
    }
    guard let output else {
      try LabelName.check(names[label], besides: list ?? [], kind: shelf.noun)
      let location = image.location
      return try location.naming { () throws(Fault) in
        try ExistingLabel.find(
          names[label], image: location.path, in: location.store, shelf: shelf)
      }
    }
    // In a new plate the folders above it need not be there.
    let parent = try OutputFolder(path: output.stageHolder)
    guard let kind = try parent.kind(of: joinedKey(output.folder, output.name)) else { return nil }
    if kind != (output.isArchive ? .file : .folder) { return ExistingLabel(record: nil) }
    // An archive that cannot be read is not known to be ours.
    guard let place = output.isArchive ? try? LocalPlace(output.uri) : try LocalPlace(output.uri)
    else { return ExistingLabel(record: nil) }
    let group = try? ZarrGroup.open(place.store, path: SeparateOutput.paths(names)[label])
    return ExistingLabel(record: group?.attributes["omtask"])
  }

  private func taken(_ label: Int, _ found: ExistingLabel) -> Fault {
    let maker = found.record?["task"]?.stringValue
    return Fault(
      .exists, uri(label),
      maker == nil
        ? "is there already, and omtask did not make it"
        : "is there already, made by `\(maker ?? "")` with other parameters or of other voxels",
      hint: "`--overwrite` replaces it"
        + (nameFlag.map { ", `\($0)` takes another name" } ?? ""))
  }
}

extension OMEImage {
  /// The label images or tables that it lists; faults name whole paths.
  func labelsList(_ shelf: Shelf = .labels) throws(Fault) -> LabelsList {
    try location.labelsList(version, shelf)
  }
}

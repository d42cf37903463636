import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTables
import OMTask
import OMZarr

/// What makes two runs the same: task, result version, parameters, selection, input and layout;
/// never ranks, threads, memory, engine or build.
struct RunIdentity {
  /// The first 16 hexadecimal digits of the SHA-256 of all that counts.
  let runID: String
  /// What counts, as it is kept in `run.json`.
  let document: JSONObject

  /// Finds the identity of what is done to one image.
  init(
    _ request: RunRequest, _ setup: ImageSetup
  ) throws(Fault) {
    // Label images get new levels when they need them; what the run is does not hang on that.
    let plans = setup.levels.isEmpty ? setup.plans : [setup.levels[0]]
    let input = try RunIdentity.inputDigest(
      setup, plans, tellsChannels: request.entry.program.fingerprint != nil)
    var outputs: [JSON] = []
    for plan in plans {
      let layouts = try plan.layouts(plan.expectedDataType)
      var output: JSONObject = [
        "name": .string(plan.name),
        "levels": .array(layouts.flatMap { $0.documents(attributes: [:]).map(\.document) }),
      ]
      // The same name may come to mean another channel.
      if let label = plan as? LabelPlan {
        output["channels"] = .array(label.recipe.channels.map { JSON($0) })
      }
      if let table = plan as? TablePlan {
        output["channels"] = .array(table.recipe.channels.map { JSON($0) })
        output["columns"] = .array(table.channelNames.map(JSON.string))
      }
      if let partials = plan as? PartialPlan {
        output["channels"] = [JSON(partials.recipe.channel)]
      }
      if let derived = plan as? DerivedPlan, !derived.ingredients.isEmpty {
        output["ingredients"] = .array(derived.ingredients.map(JSON.string))
      }
      if let levels = plan as? LevelsPlan {
        output["name"] = nil
        output["levels"] = .array(
          layouts.dropFirst().flatMap { $0.documents(attributes: [:]).map(\.document) })
        output["transformations"] = .array(levels.edit.transformations)
        output["method"] = .string(levels.edit.pyramid.method)
      }
      outputs.append(.object(output))
    }
    var selection = JSONObject()
    for (axis, range) in request.options.select.sorted(by: { $0.key < $1.key }) {
      selection[axis] = .string("\(range.lower):\(range.upper.map(String.init) ?? "")")
    }
    var document: JSONObject = [
      "task": .string(request.manifest.identifier),
      "result_version": .number(String(request.manifest.traits.resultVersion)),
      "parameters": .object(request.parameters.resultValues),
      "selection": .object(selection),
      "input": .string(input),
      "outputs": .array(outputs),
    ]
    // Code that is built in says by its result version when voxels change; others just change.
    if let program = request.entry.program.fingerprint { document["program"] = .string(program) }
    // Stages of all images of a new plate lie beside each other.
    if let plate = setup.newPlate { document["place"] = .string(plate.field.path) }
    if let table = setup.roiTable { document["roi_table"] = .string(RunIdentity.digest(table)) }
    // Only where it may matter: without damage both policies give the same voxels, but that is not
    // known before all of them are read.
    if request.options.onDamage == .fill { document["on_damage"] = "fill" }
    let others = setup.levels.dropFirst()
    if !others.isEmpty {
      var digests: [JSON] = []
      for plan in others { digests.append(.string(try RunIdentity.digest(of: [plan], []))) }
      document["labels"] = .array(digests)
    }
    self.document = document
    document["labels"] = nil
    runID = String(hexadecimal(sha256(JSON.object(document).bytes())).prefix(16))
  }

  /// A digest of the boxes of a ROI table and of its name.
  private static func digest(_ table: RegionTable) -> String {
    var text = table.name
    for row in table.rows {
      for (axis, span) in row.sorted(by: { $0.key < $1.key }) {
        text += ";\(axis)=\(span.start)+\(span.length)"
      }
    }
    return hexadecimal(sha256(Array(text.utf8)))
  }

  /// A digest of the image's metadata and of size and time of every stored key of the level read.
  ///
  /// The names of channels count where they are handed on: to derived images, and to other programs
  /// (`tellsChannels`).
  private static func inputDigest(
    _ setup: ImageSetup, _ plans: [any ArrayPlan], tellsChannels: Bool
  ) throws(Fault) -> String {
    var bytes: [UInt8] = []
    if !setup.levels.isEmpty { return try digest(of: plans, finestMetadata(setup.image)) }
    for source in setup.sources { bytes += JSON.object(source.document).bytes() }
    // What derived images take over.
    if setup.labels.isEmpty || tellsChannels {
      bytes += setup.image.omero?.bytes() ?? []
      for (type, value) in setup.types.sorted(by: { $0.key < $1.key }) {
        bytes += Array("\(type)=\(value)".utf8)
      }
    }
    return try digest(of: plans, bytes)
  }

  /// What an image says about its finest level: the rest changes when it gets other levels.
  private static func finestMetadata(_ image: OMEImage) -> [UInt8] {
    let finest = image.document["datasets"]?.arrayValue?.first
    let others = ["axes", "coordinateSystems", "coordinateTransformations"].map {
      image.document[$0]
    }
    return ([finest] + others).flatMap { $0?.bytes() ?? [0] }
  }

  /// A digest of some bytes and of size and time of every stored key that is read.
  private static func digest(
    of plans: [any ArrayPlan], _ start: [UInt8]
  ) throws(Fault) -> String {
    var bytes = start
    var seen: Set<String> = []
    for plan in plans where seen.insert(plan.source.path).inserted {
      for input in plan.inputs { bytes += input.metadata.document.bytes() }
      try addStamps(plan.source, to: &bytes)
      // The image that a table measures, or the masking label of a threshold.
      for other in plan.inputs
      where !plan.sources.contains(where: { $0 === other }) && seen.insert(other.path).inserted {
        bytes += other.metadata.document.bytes()
        try addStamps(other, to: &bytes)
      }
    }
    return hexadecimal(sha256(bytes))
  }

  /// Adds size and time of the stored chunks of an array.
  private static func addStamps(_ array: ZarrArray, to bytes: inout [UInt8]) throws(Fault) {
    let grid = array.storedGrid
    // Where there are more keys than the store can be asked for, every n-th is.
    let most = array.store.stampLimit
    let step = max(1, (grid.count + most - 1) / most)
    var keys: [String] = []
    func addGathered() throws(Fault) {
      for stamp in try array.store.stamps(keys) {
        withUnsafeBytes(of: (stamp?.size ?? -1, stamp?.modified ?? 0)) { bytes += $0 }
      }
      keys.removeAll(keepingCapacity: true)
    }
    for number in stride(from: 0, to: grid.count, by: step) {
      keys.append(array.storedKey(grid.position(of: number)))
      if keys.count == 4096 { try addGathered() }
    }
    try addGathered()
  }
}

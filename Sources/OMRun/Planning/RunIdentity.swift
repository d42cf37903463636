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

  /// More keys than this are not asked for size and time one by one; every n-th is.
  private static let stampLimit = 200_000

  /// Finds the identity of what is done to one image.
  init(
    _ request: RunRequest, _ setup: ImageSetup
  ) throws(Fault) {
    let plans = setup.plans
    let input = try RunIdentity.inputDigest(setup)
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
    if let table = setup.roiTable { document["roi_table"] = .string(RunIdentity.digest(table)) }
    // Only where it may matter: without damage both policies give the same voxels, but that is not
    // known before all of them are read.
    if request.options.onDamage == .fill { document["on_damage"] = "fill" }
    self.document = document
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
  private static func inputDigest(_ setup: ImageSetup) throws(Fault) -> String {
    var bytes: [UInt8] = []
    for source in setup.sources { bytes += JSON.object(source.document).bytes() }
    // What derived images take over.
    if setup.labels.isEmpty {
      bytes += setup.image.omero?.bytes() ?? []
      for (type, value) in setup.types.sorted(by: { $0.key < $1.key }) {
        bytes += Array("\(type)=\(value)".utf8)
      }
    }
    var seen: Set<String> = []
    for plan in setup.plans where seen.insert(plan.source.path).inserted {
      for source in plan.sources { bytes += source.metadata.document.bytes() }
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
    let step = max(1, (grid.count + stampLimit - 1) / stampLimit)
    for number in stride(from: 0, to: grid.count, by: step) {
      let stamp = try array.store.stamp(array.storedKey(grid.position(of: number)))
      withUnsafeBytes(of: (stamp?.size ?? -1, stamp?.modified ?? 0)) { bytes += $0 }
    }
  }
}

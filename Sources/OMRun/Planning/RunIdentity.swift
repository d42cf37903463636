import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMStore
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
    _ request: RunRequest, _ image: OMEImage, _ plans: [any ArrayPlan]
  ) throws(Fault) {
    let input = try RunIdentity.inputDigest(image, plans)
    var outputs: [JSON] = []
    for plan in plans {
      let layouts = try plan.layouts(plan.expectedDataType)
      outputs.append(
        .object([
          "name": .string(plan.name),
          "levels": .array(layouts.flatMap { $0.documents(attributes: [:]).map(\.document) }),
        ]))
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
    // Only where it may matter: without damage both policies give the same voxels, but that is not
    // known before all of them are read.
    if request.options.onDamage == .fill { document["on_damage"] = "fill" }
    self.document = document
    runID = String(hexadecimal(sha256(JSON.object(document).bytes())).prefix(16))
  }

  /// A digest of the image's metadata and of size and time of every stored key of the level read.
  private static func inputDigest(
    _ image: OMEImage, _ plans: [any ArrayPlan]
  ) throws(Fault) -> String {
    var bytes = JSON.object(image.document).bytes()
    var seen: Set<String> = []
    for plan in plans where seen.insert(plan.source.path).inserted {
      for source in plan.sources { bytes += source.metadata.document.bytes() }
      let grid = plan.source.storedGrid
      let step = max(1, (grid.count + stampLimit - 1) / stampLimit)
      for number in stride(from: 0, to: grid.count, by: step) {
        let key = plan.source.storedKey(grid.position(of: number))
        let stamp = try plan.source.store.stamp(key)
        withUnsafeBytes(of: (stamp?.size ?? -1, stamp?.modified ?? 0)) { bytes += $0 }
      }
    }
    return hexadecimal(sha256(bytes))
  }
}

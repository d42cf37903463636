import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMTask

/// `run.json`: what a run is, for the runs that go on with it and for people who look at it.
enum StageRecord {
  /// The record of a run.
  ///
  /// - Parameters:
  ///   - request: The run.
  ///   - setup: The image.
  ///   - target: Where results go.
  ///   - identity: What makes the run id.
  ///   - preset: Thresholds that were found over all images; with others nothing can be gone on with.
  /// - Returns: The identity, and under `omtask` what only describes the run.
  static func make(
    _ request: RunRequest, _ setup: ImageSetup, _ target: Target, _ identity: JSONObject,
    _ preset: [Choices?]
  ) -> JSONObject {
    var record = identity
    let thresholds = preset.map { choices in
      JSON.array((choices?.thresholds ?? []).map { JSON($0.value) })
    }
    if preset.contains(where: { $0 != nil }) { record["thresholds"] = .array(thresholds) }
    let passes = ImagePass.all(
      setup.plans, memory: request.options.memory / max(1, request.options.threads),
      preset: preset.contains { $0 != nil })
    record["omtask"] = [
      "image": .string(target.image.location.displayName),
      "results": .array(target.names.indices.map { .string(target.uri($0)) }),
      "regions": JSON(Piece.all(of: setup.plans).count),
      "passes": .array(passes.map { .string($0.rawValue) }),
    ]
    return record
  }
}

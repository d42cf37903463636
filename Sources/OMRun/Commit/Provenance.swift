import OMJSON
import OMManifest
import OMTask

/// Our record in the attributes of what was made: how it was made, and nothing about where or when.
struct Provenance: Sendable {
  let request: RunRequest
  let runID: String

  /// The record of one image or table.
  ///
  /// - Parameters:
  ///   - made: The image.
  ///   - types: The types that a derived image has, as Fractal knows them.
  ///   - filledChunks: How many damaged chunks of the image count as fill value.
  /// - Returns: A JSON object.
  func record(_ made: MadeImage, types: [String: Bool], filledChunks: Int) -> JSON {
    var record: JSONObject = [
      "run_id": .string(runID), "task": .string(request.manifest.identifier),
      "result_version": JSON(request.manifest.traits.resultVersion),
    ]
    if let exactness = request.manifest.traits.exactness {
      record["exactness"] = .string(exactness.rawValue)
    }
    record["parameters"] = .object(request.parameters.resultValues)
    if let program = request.entry.program.fingerprint { record["program"] = .string(program) }
    let select = request.options.select
    if !select.isEmpty {
      record["selection"] = .string(
        select.sorted { $0.key < $1.key }.map { axis, range in
          "\(axis)=\(range.lower):\(range.upper.map(String.init) ?? "")"
        }.joined(separator: ","))
    }
    if let table = request.options.roiTable { record["roi_table"] = .string(table) }
    if let label = made.label {
      record["thresholds"] = .array(
        label.thresholds.map { threshold in
          ["scope": .string(threshold.scope), "value": JSON(threshold.value)]
        })
      if let objects = label.objects { record["objects"] = JSON(objects) }
      if let regions = label.regions { record["regions"] = regions }
    } else if let table = made.table {
      record["rows"] = JSON(table.rows)
      if let regions = table.regions { record["regions"] = regions }
    } else if !types.isEmpty {
      record["types"] = .object(
        JSONObject(members: types.sorted { $0.key < $1.key }.map { ($0.key, .bool($0.value)) }))
    }
    if let counted = made.counted { record["saturated_voxels"] = JSON(counted) }
    if filledChunks > 0 { record["filled_chunks"] = JSON(filledChunks) }
    return .object(record)
  }

  /// Whether a record is of this run, so that the result is there already.
  static func isOf(_ runID: String, _ record: JSON?) -> Bool {
    record?["run_id"]?.stringValue == runID
  }

  /// How many damaged chunks count as fill value in what is there already.
  static func filledChunks(_ records: [JSON?]) -> Int {
    records.compactMap { $0?["filled_chunks"]?.intValue }.max() ?? 0
  }

  /// What a record tells of a result that is there already.
  static func report(_ record: JSON?, into report: inout OutputReport) {
    report.objects = record?["objects"]?.intValue
    report.rows = record?["rows"]?.intValue
    report.thresholds = (record?["thresholds"]?.arrayValue ?? []).compactMap { entry in
      guard let scope = entry["scope"]?.stringValue, let value = entry["value"]?.doubleValue
      else { return nil }
      return ScopeThreshold(scope: scope, value: value)
    }
  }
}

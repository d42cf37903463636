import OMGrid
import OMJSON
import OMManifest
import OMRun

/// The file of `--report`: everything about a run, as `docs/schemas/report.schema.json` describes it.
enum ReportJSON {
  /// The document of a finished run.
  static func document(
    _ report: RunReport, task: String, parameters: Parameters
  ) -> JSON {
    var document: JSONObject = [
      "omtask": .string(programVersion), "task": .string(task),
      "parameters": .object(parameters.values),
    ]
    for (key, value) in totals(report).members { document[key] = value }
    document["images"] = .array(report.images.map(image))
    return .object(document)
  }

  /// The figures of the whole run.
  static func totals(_ report: RunReport) -> JSONObject {
    let number = { (status: ImageReport.Status) in
      JSON(report.images.count { $0.status == status })
    }
    return [
      "exit_code": JSON(Int(report.exitCode)),
      "done": number(.done), "skipped": number(.skipped), "failed": number(.failed),
      "voxels": JSON(report.voxels), "seconds": JSON(report.seconds),
      "bytes_read": JSON(report.bytesRead), "bytes_written": JSON(report.bytesWritten),
      "absent_chunks": JSON(report.absentChunks), "damaged_chunks": JSON(report.damagedChunks),
      "peak_memory": JSON(report.peakMemory),
      "ranks": JSON(report.ranks), "threads": JSON(report.threads),
    ]
  }

  private static func image(_ image: ImageReport) -> JSON {
    var members: JSONObject = [
      "uri": .string(image.uri), "status": .string(image.status.rawValue),
      "outputs": .array(image.outputs.map { .object(output($0)) }),
    ]
    if image.damage.count > 0 { members["damaged_chunks"] = image.damage.encoded() }
    if !image.mismatches.isEmpty {
      members["mismatches"] = .array(image.mismatches.map { .string($0) })
    }
    if let log = image.log { members["log"] = .string(log) }
    if let note = image.note { members["note"] = .string(note) }
    if let fault = image.fault { members["error"] = .object(faultMembers(fault)) }
    return .object(members)
  }

  /// What is known about one result.
  static func output(_ output: OutputReport) -> JSONObject {
    var members: JSONObject = [
      "name": .string(output.name), "uri": .string(output.uri),
      "kind": .string(output.kind.rawValue),
    ]
    if let dataType = output.dataType { members["data_type"] = .string(dataType.rawValue) }
    if let rows = output.rows { members["rows"] = JSON(rows) }
    if let objects = output.objects { members["objects"] = JSON(objects) }
    // Of a label that another program made nothing is known.
    if output.kind == .label && output.dataType != nil {
      members["thresholds"] = .array(
        output.thresholds.map { ["scope": .string($0.scope), "value": JSON($0.value)] })
      members["foreground_share"] = JSON(output.foregroundShare)
    }
    members["notes"] = .array(output.notes.map { .string($0) })
    if let replaced = output.replaced { members["replaced"] = .string(replaced) }
    return members
  }
}

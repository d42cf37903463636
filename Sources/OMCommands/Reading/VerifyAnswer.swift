import OMJSON
import OMRun

/// What `omtask verify` tells.
struct VerifyAnswer: Answer {
  let uri: String
  let report: VerifyReport

  /// The most problems and notes that a person is shown; JSON has the first thousand.
  private static let shown = 20

  var lines: [String] {
    var lines = [
      "\(uri): \(report.problems.count == 0 ? "sound" : counted(report.problems.count, "problem"))",
      "  read      \(counted(report.images, "image")), \(counted(report.arrays, "array")), "
        + "\(counted(report.stored, "file")) with \(byteText(report.bytes))",
      "  chunks    \(grouped(report.sound)) sound, \(grouped(report.absent)) not stored (fill value)",
    ]
    if report.entries > 0 {
      lines.append("  archive   \(counted(report.entries, "entry", "entries")) read")
    }
    if report.unused > 0 {
      lines.append("  unused    \(byteText(report.unused)) in shards belong to no chunk")
    }
    lines += texts("damaged", report.problems) + texts("note   ", report.notes)
    return lines + report.repairs.map { "  repaired  \($0)" }
  }

  private func texts(_ title: String, _ findings: FindingList) -> [String] {
    let lines = findings.listed.prefix(Self.shown).map { finding in
      let place = finding.position.map { " (chunk \($0.map(String.init).joined(separator: ",")))" }
      return "  \(title)   \(finding.fault.description)\(place ?? "")"
    }
    let rest = findings.count - lines.count
    return lines + (rest > 0 ? ["  \(title)   and \(grouped(rest)) more"] : [])
  }

  var json: JSON {
    [
      "uri": .string(uri), "sound": .bool(report.problems.count == 0),
      "exit_code": JSON(Int(report.exitCode)), "images": JSON(report.images),
      "arrays": JSON(report.arrays), "stored_files": JSON(report.stored),
      "stored_bytes": JSON(report.bytes), "chunks_sound": JSON(report.sound),
      "chunks_absent": JSON(report.absent),
      "archive_entries": JSON(report.entries), "unused_bytes": JSON(report.unused),
      "problem_count": JSON(report.problems.count), "problems": list(report.problems),
      "note_count": JSON(report.notes.count), "notes": list(report.notes),
      "repairs": .array(report.repairs.map { .string($0) }),
    ]
  }

  private func list(_ findings: FindingList) -> JSON {
    .array(
      findings.listed.map { finding in
        var members: JSONObject = [
          "kind": .string(finding.fault.kind.rawValue), "path": .string(finding.fault.subject),
          "message": .string(finding.fault.message),
        ]
        if let position = finding.position {
          members["chunk"] = .array(position.map { JSON($0) })
        }
        if let hint = finding.fault.hint { members["hint"] = .string(hint) }
        return .object(members)
      })
  }
}

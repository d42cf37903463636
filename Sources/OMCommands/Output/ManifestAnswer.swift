import OMJSON
import OMManifest

/// What `omtask manifest check` tells: a line for each finding, as compilers write them.
struct ManifestAnswer: Answer {
  private var files: [(name: String, findings: [(finding: ManifestFinding, place: TextPlace)])] = []

  /// Adds what was found in a file.
  mutating func add(
    _ name: String, _ findings: [(finding: ManifestFinding, place: TextPlace)]
  ) {
    files.append((name, findings))
  }

  /// The number of mistakes.
  var errors: Int { files.reduce(0) { $0 + Self.errors($1.findings) } }

  /// The one line that says why the call failed.
  var fault: Fault {
    let bad = files.filter { Self.errors($0.findings) > 0 }
    let place = bad.count == 1 ? "" : " in \(bad.count) of \(files.count) manifests"
    return Fault(
      .manifest, bad.count == 1 ? bad[0].name : "",
      "\(errors) \(errors == 1 ? "mistake" : "mistakes")\(place)")
  }

  /// The mistakes without the notes, a line each.
  var errorLines: [String] {
    files.flatMap { name, findings in
      findings.filter { $0.finding.severity == .error }.map {
        Self.line(name, $0.finding, $0.place)
      }
    }
  }

  var lines: [String] {
    files.flatMap { name, findings in
      let lines = findings.map { Self.line(name, $0.finding, $0.place) }
      return Self.errors(findings) == 0 ? lines + ["\(name): no mistakes"] : lines
    }
  }

  private static func errors(_ findings: [(finding: ManifestFinding, place: TextPlace)]) -> Int {
    findings.count { $0.finding.severity == .error }
  }

  private static func line(
    _ name: String, _ finding: ManifestFinding, _ place: TextPlace
  ) -> String {
    let kind = finding.severity == .note ? "note: " : ""
    let rule = finding.severity == .note ? "" : " [\(finding.rule.name)]"
    let fix = finding.fix.map { " (\($0))" } ?? ""
    return "\(name):\(place.line):\(place.column): \(kind)\(finding.message)\(fix)\(rule)"
  }

  var json: JSON {
    .array(
      files.flatMap { name, findings in
        findings.map { finding, place in
          [
            "file": .string(name), "line": JSON(place.line), "column": JSON(place.column),
            "pointer": .string(finding.pointer.description),
            "severity": .string(finding.severity.rawValue), "rule": .string(finding.rule.name),
            "message": .string(finding.message), "fix": finding.fix.map { .string($0) } ?? .null,
          ]
        }
      })
  }
}

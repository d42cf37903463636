import OMJSON
import OMValidate

/// What `omtask validate` tells.
struct ValidateAnswer: Answer {
  let uri: String
  let verdict: Verdict

  /// The most places of one rule that a person is shown; JSON has the first hundred.
  private static let shown = 5

  private var findings: Findings { verdict.findings }

  /// The one line that says why the call failed.
  var fault: Fault {
    let count = findings.count(.error)
    let first = findings.groups(.error).first?.findings.first
    return Fault(
      .metadata, uri,
      "not valid, \(counted(count, "error"))"
        + (first.map { ", first of all `\($0.rule.name)`: \($0.message)" } ?? ""))
  }

  var lines: [String] {
    var lines = ["\(uri): \(summary)", "  checked   \(checked)"]
    for severity in Severity.allCases {
      for group in findings.groups(severity) { lines += text(severity, group.rule, group.findings) }
    }
    return lines
  }

  private var summary: String {
    let counts = [
      counted(findings.count(.error), "error"), counted(findings.count(.warning), "warning"),
      counted(findings.count(.note), "note"),
    ]
    let what = [
      verdict.version.map { "OME-Zarr \(verdict.writtenVersion ?? $0.rawValue)" }, verdict.kind,
    ]
    .compactMap { $0 }.joined(separator: " ")
    return "\(verdict.isValid ? "valid" : "not valid")\(what.isEmpty ? "" : ", \(what)"): "
      + counts.joined(separator: ", ")
  }

  private var checked: String {
    let counts = [
      (verdict.wells, "well"), (verdict.images, "image"), (verdict.labels, "label image"),
      (verdict.arrays, "array"), (verdict.documents, "document"),
    ]
    return counts.filter { $0.0 > 0 }.map { counted($0.0, $0.1) }.joined(separator: ", ")
  }

  private func text(_ severity: Severity, _ rule: Rule, _ found: [Finding]) -> [String] {
    let title = severity.rawValue + String(repeating: " ", count: 10 - severity.rawValue.count)
    let indent = String(repeating: " ", count: 12)
    let places = found.prefix(Self.shown).map { finding in
      "\(indent)\(place(finding)): \(finding.message)"
    }
    let rest = findings.count(rule, severity) - places.count
    return ["  \(title)\(rule.name): \(rule.text)"] + places
      + (rest > 0 ? ["\(indent)and \(grouped(rest)) more"] : [])
      + ["\(indent)fix: \(rule.fix)"]
  }

  private func place(_ finding: Finding) -> String {
    let pointer = finding.pointer.description
    return [finding.file, pointer].filter { !$0.isEmpty }.joined(separator: " ")
  }

  var json: JSON {
    [
      "uri": .string(uri), "valid": .bool(verdict.isValid), "strict": .bool(verdict.isStrict),
      "kind": verdict.kind.map { .string($0) } ?? .null,
      "version": verdict.version.map { .string(verdict.writtenVersion ?? $0.rawValue) } ?? .null,
      "wells": JSON(verdict.wells), "images": JSON(verdict.images),
      "label_images": JSON(verdict.labels), "arrays": JSON(verdict.arrays),
      "documents": JSON(verdict.documents),
      "error_count": JSON(findings.count(.error)),
      "warning_count": JSON(findings.count(.warning)),
      "note_count": JSON(findings.count(.note)), "rules": .array(rules),
    ]
  }

  /// The broken rules with their places, errors first.
  private var rules: [JSON] {
    Severity.allCases.flatMap { severity in
      findings.groups(severity).map { rule, found in
        [
          "rule": .string(rule.name), "severity": .string(severity.rawValue),
          "level": .string(found.first?.level.rawValue ?? ""), "text": .string(rule.text),
          "fix": .string(rule.fix), "count": JSON(findings.count(rule, severity)),
          "places": .array(
            found.map {
              [
                "file": .string($0.file), "pointer": .string($0.pointer.description),
                "found": $0.found.map { .string($0) } ?? .null, "message": .string($0.message),
              ]
            }),
        ]
      }
    }
  }
}

/// The one line that a conformance runner reads.
struct ConformanceLine {
  let text: String

  init(_ verdict: Verdict) {
    let errors = verdict.findings.groups(.error)
    let reasons = errors.prefix(3).compactMap { group in
      group.findings.first.map { finding in
        let place = [finding.file, finding.pointer.description].filter { !$0.isEmpty }
        return "\(group.rule.name) at \(place.joined(separator: " ")): \(finding.message)"
      }
    }
    let rest = errors.count - reasons.count
    let warnings = verdict.findings.count(.warning)
    let message =
      verdict.isValid
      ? "valid, \(counted(warnings, "warning"))"
      : (reasons + (rest > 0 ? ["\(rest) more rules are broken"] : [])).joined(separator: "; ")
    let document: JSON = ["valid": .bool(verdict.isValid), "message": .string(message)]
    text = document.text()
  }
}

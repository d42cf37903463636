import OMJSON
import OMRun

/// What `omtask doctor` tells.
struct DoctorAnswer: Answer {
  /// The name of this machine.
  let host: String
  /// What was found, in the order of telling.
  let findings: [DoctorFinding]
  /// The width of the place where it is told.
  var columns = 80

  /// How the findings are headed.
  private static let titles = [
    "program": "Program", "launcher": "Ranks", "cores": "Cores", "memory": "Memory",
    "limits": "Limits", "slurm": "Slurm", "libraries": "Libraries", "scratch": "Temporary files",
  ]

  /// What a run would fail with here: the problem whose exit code a run of several failures has; nil when
  /// there is none.
  var fault: Fault? {
    let problems = findings.filter { $0.level == .problem }
    // A wrong call comes before everything else.
    let code =
      problems.contains { $0.kind == .usage }
      ? FaultKind.usage.exitCode : gravestExitCode(Set(problems.compactMap(\.kind?.exitCode)))
    guard let first = problems.first(where: { $0.kind?.exitCode == code }), let kind = first.kind
    else { return nil }
    let rest = problems.count - 1
    return Fault(
      kind, first.subject ?? "",
      first.text + (rest > 0 ? "; \(counted(rest, "more problem"))" : ""), hint: first.advice)
  }

  private func count(_ level: DoctorFinding.Level) -> Int { findings.count { $0.level == level } }

  var lines: [String] {
    let width = min(max(columns, 60), 100)
    let counts = [
      counted(count(.problem), "problem"), counted(count(.warning), "warning"),
      counted(count(.note), "note"),
    ]
    var lines = ["omtask \(programVersion) on \(host): \(counts.joined(separator: ", "))"]
    var heading = ""
    for finding in findings {
      let title = finding.subject ?? Self.titles[finding.group] ?? finding.group
      if title != heading { lines += ["", title] }
      heading = title
      lines += text(finding, width)
    }
    return lines
  }

  private func text(_ finding: DoctorFinding, _ width: Int) -> [String] {
    let margin = String(repeating: " ", count: 11)
    let name = finding.level.rawValue
    let start = "  \(name)" + String(repeating: " ", count: margin.count - 2 - name.count)
    let advice = finding.advice.map { wrapped("do: \($0)", width: width - margin.count) } ?? []
    let sentence = wrapped(finding.text, width: width - margin.count)
    return [start + (sentence.first ?? "")] + (sentence.dropFirst() + advice).map { margin + $0 }
  }

  var json: JSON {
    [
      "version": .string(programVersion), "host": .string(host),
      "worst": .string(findings.map(\.level).max { rank($0) < rank($1) }?.rawValue ?? "ok"),
      "problem_count": JSON(count(.problem)), "warning_count": JSON(count(.warning)),
      "note_count": JSON(count(.note)), "exit_code": JSON(Int(fault?.exitCode ?? 0)),
      "findings": .array(findings.map(\.json)),
    ]
  }

  private func rank(_ level: DoctorFinding.Level) -> Int {
    DoctorFinding.Level.allCases.firstIndex(of: level) ?? 0
  }
}

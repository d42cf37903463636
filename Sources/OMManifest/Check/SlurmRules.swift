import OMJSON

/// What Fractal server asks Slurm for from `meta_parallel` and `meta_non_parallel`.
enum SlurmRules {
  /// Checks one of the two.
  static func check(_ meta: Spot, _ findings: inout ManifestFindings) {
    for (key, spot) in meta.members where key.allSatisfy(\.isWhitespace) {
      findings.error(.server, spot, "a key is empty", atKey: true)
    }
    checkAmounts(meta, &findings)
    if let spot = meta["account"] {
      findings.error(
        .server, spot, "`account` may not be set by a task", fix: "leave it out", atKey: true)
    }
    let batching = ["tasks_per_job", "parallel_tasks_per_job"]
    let there = batching.filter { meta.given($0) != nil }
    if there.count == 1 {
      findings.error(
        .server, meta, "`\(there[0])` is there, but not the other of \(quoted(batching))")
    }
  }

  private static func checkAmounts(_ meta: Spot, _ findings: inout ManifestFindings) {
    if let spot = meta["cpus_per_task"], (spot.value.intValue ?? 0) < 1 {
      findings.error(
        .server, spot, "`cpus_per_task` is \(spot.value.excerpt), expected a whole number from 1")
    }
    if let spot = meta["mem"], !isMemory(spot.value) {
      findings.error(
        .server, spot, "`mem` is \(spot.value.excerpt), expected megabytes or a text like \"4G\"")
    }
    if let spot = meta["needs_gpu"], spot.value.boolValue == nil {
      let text = spot.value.stringValue?.lowercased()
      if text != "true" && text != "false" {
        findings.error(
          .server, spot, "`needs_gpu` is \(spot.value.excerpt), expected true or false")
      }
    }
    if let spot = meta["extra_lines"], spot.value.arrayValue == nil {
      findings.error(
        .server, spot, "`extra_lines` is \(spot.value.excerpt), expected a list of strings")
    }
  }

  /// Whether Fractal reads it as an amount of memory: `4000`, `"4000"`, `"400M"`, `"4G"`, `"1T"`.
  private static func isMemory(_ value: JSON) -> Bool {
    if let number = value.intValue { return number > 0 }
    guard let text = value.stringValue else { return false }
    let digits = text.last.map { "MGT".contains($0) } == true ? text.dropLast() : text[...]
    return Int(digits).map { $0 > 0 } ?? false
  }

  private static func quoted(_ keys: [String]) -> String {
    keys.map { "`\($0)`" }.joined(separator: " and ")
  }
}

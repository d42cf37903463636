package import OMJSON

/// What a broken rule means for the verdict.
package enum Severity: String, Sendable, CaseIterable {
  /// The metadata are not valid.
  case error
  /// They are valid, but some readers will stumble.
  case warning
  /// Something to know.
  case note
}

/// One place where a rule is broken.
package struct Finding: Sendable {
  /// What it means for the verdict.
  package let severity: Severity
  /// The rule.
  package let rule: Rule
  /// How strongly the rule holds in the version of the document.
  package let level: RuleLevel
  /// The document, as a key of the store or the name of a file.
  package let file: String
  /// The place in the document.
  package let pointer: JSONPointer
  /// The value found, cut where it is long; nil when it is missing.
  package let found: String?
  /// What is wrong, with both values.
  package let message: String
}

/// Everything found, with a bound on what is kept of one rule.
package struct Findings: Sendable {
  /// The most places that are kept of one rule and severity; the others are counted.
  static let kept = 100

  /// What is kept, in the order in which it was found.
  package private(set) var all: [Finding] = []
  private var counts: [Key: Int] = [:]

  private struct Key: Hashable {
    let severity: Severity
    let rule: String
  }

  init() {}

  /// How often a rule was broken, everything counted.
  package func count(_ rule: Rule, _ severity: Severity) -> Int {
    counts[Key(severity: severity, rule: rule.name)] ?? 0
  }

  /// How many findings have this severity.
  package func count(_ severity: Severity) -> Int {
    counts.reduce(0) { $0 + ($1.key.severity == severity ? $1.value : 0) }
  }

  /// What is kept of a severity, rule by rule in the order in which they were found.
  package func groups(_ severity: Severity) -> [(rule: Rule, findings: [Finding])] {
    var places: [String: Int] = [:]
    var groups: [(rule: Rule, findings: [Finding])] = []
    for finding in all where finding.severity == severity {
      if let place = places[finding.rule.name] {
        groups[place].findings.append(finding)
      } else {
        places[finding.rule.name] = groups.count
        groups.append((finding.rule, [finding]))
      }
    }
    return groups
  }

  mutating func add(_ finding: Finding) {
    add(finding.severity, finding.rule) { finding }
  }

  /// Counts a finding, and makes and keeps it while there are not too many of its rule.
  mutating func add(_ severity: Severity, _ rule: Rule, _ make: () -> Finding) {
    let key = Key(severity: severity, rule: rule.name)
    let count = counts[key] ?? 0
    counts[key] = count + 1
    if count < Self.kept { all.append(make()) }
  }

  /// Adds what another part found, behind what is there.
  mutating func add(_ others: Findings) {
    for finding in others.all {
      let key = Key(severity: finding.severity, rule: finding.rule.name)
      let kept = min(counts[key] ?? 0, Self.kept)
      counts[key] = (counts[key] ?? 0) + 1
      if kept < Self.kept { all.append(finding) }
    }
    for (key, count) in others.counts where count > Self.kept {
      counts[key] = (counts[key] ?? 0) + count - Self.kept
    }
  }
}

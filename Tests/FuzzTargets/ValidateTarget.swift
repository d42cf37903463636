import OMJSON
import OMStore
import OMValidate

extension FuzzTarget {
  /// The documents of a hierarchy, keys and documents in turn; each document alone too.
  static let validate = FuzzTarget("validate", refusals: []) { bytes in
    let store = MemoryStore()
    var input = FuzzInput(bytes)
    var alone: [[UInt8]] = []
    while !input.isEmpty {
      let key = input.text()
      let document = input.part()
      store[key] = document
      alone.append(document)
    }
    let verdict = Validator().validate(store)
    try checkVerdict(verdict)
    var strict = Validator.Options()
    strict.isStrict = true
    try promise(
      verdict.isValid || !Validator(strict).validate(store).isValid,
      "what is not valid is valid in strict mode")
    for document in alone.prefix(8) {
      try checkVerdict(Validator().validate(document: document, name: "document"))
    }
  }
}

/// Whoever reads a finding learns what is wrong, and nothing is counted that is not kept.
private func checkVerdict(_ verdict: Verdict) throws {
  let known = Set(Rule.all.flatMap { $0.rules.map(\.name) })
  for finding in verdict.findings.all {
    try promise(known.contains(finding.rule.name), "the rule \(finding.rule.name) is not listed")
    try promise(!finding.message.isEmpty, "\(finding.rule.name) without a message")
  }
  for severity in Severity.allCases {
    let kept = verdict.findings.all.count { $0.severity == severity }
    try promise(
      (kept == 0) == (verdict.findings.count(severity) == 0), "\(severity.rawValue)s are miscounted"
    )
  }
}

import OMJSON

/// Every default, and every value that a schema gives as an example, fits its schema.
enum DefaultRules {
  /// Checks a schema and all schemas in it.
  static func check(_ schema: Spot, root: JSON, _ findings: inout ManifestFindings) {
    var fit = SchemaFit(root: root)
    if let spot = schema["default"],
      let problem = fit.problem(of: spot.value, in: schema.value)
    {
      findings.error(
        .form, spot, "the default \(spot.value.excerpt) does not fit its schema: \(problem)")
    }
    for spot in schema["examples"]?.elements ?? [] {
      guard let problem = fit.problem(of: spot.value, in: schema.value) else { continue }
      findings.error(
        .form, spot, "the example \(spot.value.excerpt) does not fit its schema: \(problem)")
    }
    for (_, _, part) in schema.subschemas { check(part, root: root, &findings) }
  }
}

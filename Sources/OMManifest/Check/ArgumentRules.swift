import OMJSON

/// The arguments that the server sets: each part of a task declares its own, and no others.
enum ArgumentRules {
  /// Checks both args schemas of a task.
  static func check(_ task: Spot, _ findings: inout ManifestFindings) {
    let text = task["type"]?.value.stringValue
    guard let type = FractalTask.types.first(where: { $0.type == text }) else { return }
    for kind in FractalTask.kinds {
      guard let wanted = type.arguments[kind],
        let schema = task.given("args_schema_\(kind)"), schema.value.objectValue != nil
      else { continue }
      check(schema, "the \(kind) part of a \(type.type) task", wanted, &findings)
    }
  }

  private static func check(
    _ schema: Spot, _ part: String, _ wanted: [String], _ findings: inout ManifestFindings
  ) {
    let properties = schema["properties"]
    let required = schema["required"]?.value.arrayValue ?? []
    for name in wanted {
      if properties?[name] == nil {
        findings.error(
          .arguments, properties ?? schema, "`\(name)` is missing, \(part) is given it")
      } else if !required.contains(.string(name)) {
        findings.error(
          .arguments, schema["required"] ?? schema,
          "`\(name)` is not required, \(part) is always given it", fix: "name it in `required`")
      }
    }
    for name in ParameterDeclaration.reservedNames where !wanted.contains(name) {
      guard let spot = properties?[name] else { continue }
      findings.error(
        .arguments, spot, "`\(name)` is set by the server alone, and \(part) is not given it",
        fix: "it is given \(wanted.joined(separator: ", "))", atKey: true)
    }
  }
}

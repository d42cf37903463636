import OMJSON

/// What omtask asks of parameters beyond Fractal: names that work as flags, and flat values.
enum ParameterRules {
  /// Checks the parameters of a task.
  ///
  /// - Parameters:
  ///   - schema: The args schema.
  ///   - findings: Where mistakes go; what another rule found is not told twice.
  static func check(_ schema: Spot, _ findings: inout ManifestFindings) {
    if schema["additionalProperties"]?.value != false {
      findings.error(
        .omtask, schema["additionalProperties"] ?? schema,
        "`additionalProperties` is not false, so typing errors would pass",
        fix: "add `\"additionalProperties\": false`")
    }
    if schema["type"]?.value != "object" {
      findings.error(
        .omtask, schema["type"] ?? schema, "the `type` of an args schema is \"object\"")
    }
    guard let properties = schema["properties"], properties.value.objectValue != nil else {
      findings.error(.omtask, schema, "`properties` is missing, expected an object of parameters")
      return
    }
    for key in schema.value.objectValue?.keys ?? []
    where !ArgsSchema.topKeywords.contains(key) && SchemaVocabulary.keywords[key] != nil {
      findings.error(
        .omtask, schema[key] ?? schema, "omtask reads no `\(key)` here", atKey: true)
    }
    let names = properties.members.map(\.key)
    let required = (schema["required"]?.value.arrayValue ?? []).compactMap(\.stringValue)
    for (name, spot) in properties.members {
      if !ParameterDeclaration.reservedNames.contains(name) {
        checkName(name, spot, properties, names, &findings)
      }
      checkDeclaration(name, spot, isRequired: required.contains(name), &findings)
    }
  }

  private static func checkName(
    _ name: String, _ spot: Spot, _ properties: Spot, _ names: [String],
    _ findings: inout ManifestFindings
  ) {
    let flag = String(name.map { $0 == "_" ? "-" : $0 })
    if name.wholeMatch(of: /[a-z][a-z0-9_]*/) == nil {
      findings.error(
        .omtask, spot, "the parameter `\(name)` has a name that is no flag",
        fix: "lower-case letters, digits and `_`, the first a letter", atKey: true)
    } else if Manifest.runFlags.contains(flag) {
      findings.error(
        .omtask, spot, "the parameter `\(name)` has the name of a flag of `omtask run`",
        fix: "take another name", atKey: true)
    }
    let plain = String(name.dropFirst(3))
    if name.hasPrefix("no_"), names.contains(plain),
      properties[plain]?["type"]?.value == "boolean"
    {
      findings.error(
        .omtask, spot, "`--\(flag)` would turn off `\(plain)` and be a parameter", atKey: true)
    }
  }

  private static func checkDeclaration(
    _ name: String, _ spot: Spot, isRequired: Bool, _ findings: inout ManifestFindings
  ) {
    if findings.hasErrors(within: spot.pointer) { return }
    do throws(Fault) {
      _ = try ParameterDeclaration(
        name, spot.value, isRequired: isRequired, traits: .none, subject: "")
    } catch {
      findings.error(.omtask, spot, error.message, fix: error.hint)
    }
  }
}

extension TaskTraits {
  /// Traits of a task about which nothing is known.
  fileprivate static let none = TaskTraits(
    summary: "", contract: .kernel, resultVersion: 1, exactness: .equal, passes: [], outputs: [],
    dataTypes: [], requiredAxes: [], optionalAxes: [], groups: [], units: [:], runOnly: [],
    examples: [], program: nil, imageProgram: nil)
}

import OMJSON

/// What the form of Fractal's web client refuses: it compiles every schema with Ajv's strict mode,
/// and shows no form at all when that fails.
///
/// Stricter than Ajv in two things: schemas below `$defs` are looked at even when nothing refers to
/// them, and a list of types is refused also when it is one type and null, which the form cannot show.
struct FormRules {
  var findings: ManifestFindings
  /// The whole args schema, which `$ref` refers to.
  private let root: Spot

  init(_ root: Spot, _ findings: ManifestFindings) {
    self.root = root
    self.findings = findings
  }

  /// What schemas around a schema say about the same value.
  private struct Surroundings {
    var types: [String] = []
    var properties: Set<String> = []
  }

  /// Checks the whole schema.
  mutating func check() { check(root, Surroundings()) }

  private mutating func check(_ schema: Spot, _ outside: Surroundings) {
    if schema.value.boolValue != nil { return }
    guard schema.value.objectValue != nil else {
      findings.error(.form, schema, "\(schema.value.excerpt) stands where a schema is expected")
      return
    }
    var inside = outside
    inside.properties.formUnion(schema["properties"]?.value.objectValue?.keys ?? [])
    checkKeywords(schema)
    checkTypes(schema, &inside)
    checkRequired(schema, inside)
    checkTuple(schema)
    checkPairs(schema)
    checkNames(schema)
    for (_, isInPlace, part) in schema.subschemas {
      check(part, isInPlace ? inside : Surroundings())
    }
  }

  // MARK: - Keywords

  private mutating func checkKeywords(_ schema: Spot) {
    for (key, spot) in schema.members {
      if let keyword = SchemaVocabulary.keywords[key] {
        checkContent(spot, key, keyword.content)
      } else if key != "discriminator" {
        findings.error(
          .form, spot, "the schema keyword `\(key)` is not known", fix: fix(for: key), atKey: true)
      } else if schema["oneOf"] == nil || spot["propertyName"]?.value.stringValue == nil
        || spot["mapping"]?.value.objectValue == nil
      {
        findings.error(
          .form, spot, "`discriminator` is not known here", atKey: true)
      }
    }
  }

  private func fix(for key: String) -> String {
    let nearest = nearestName(key, in: SchemaVocabulary.keywords.keys.sorted())
    if key.hasPrefix("x-") { return "forms allow no keywords of one's own; leave it out" }
    return nearest.map { "did you mean `\($0)`?" } ?? "leave it out"
  }

  private mutating func checkContent(
    _ spot: Spot, _ key: String, _ content: SchemaVocabulary.Content
  ) {
    let value = spot.value
    let expected: String? =
      switch content {
      case .schema, .type, .anything: nil
      case .schemas: value.arrayValue?.isEmpty == false ? nil : "a list of schemas"
      case .named: value.objectValue != nil ? nil : "an object of schemas"
      case .number: value.doubleValue != nil ? nil : "a number"
      case .count: (value.intValue(integral: true) ?? -1) >= 0 ? nil : "a whole number from 0"
      case .flag: value.boolValue != nil ? nil : "true or false"
      case .text: value.stringValue != nil ? nil : "a string"
      case .texts: Self.areDifferentTexts(value) ? nil : "a list of different strings"
      case .list: value.arrayValue != nil ? nil : "a list"
      }
    if let expected {
      findings.error(.form, spot, "`\(key)` is \(value.excerpt), expected \(expected)")
    } else if key == "multipleOf", let number = value.doubleValue, number <= 0 {
      findings.error(.form, spot, "`multipleOf` is \(value.excerpt), it must be above 0")
    } else if key == "enum", value == [] {
      findings.error(.form, spot, "`enum` is empty, expected at least one value")
    }
  }

  private static func areDifferentTexts(_ value: JSON) -> Bool {
    guard let elements = value.arrayValue else { return false }
    let texts = elements.compactMap(\.stringValue)
    return texts.count == elements.count && Set(texts).count == texts.count
  }

  // MARK: - Types

  /// Notes the types of the schema and what does not fit them.
  private mutating func checkTypes(_ schema: Spot, _ inside: inout Surroundings) {
    let types = schema.schemaTypes
    if let spot = schema["type"] {
      if spot.value.arrayValue != nil {
        findings.error(
          .form, spot, "`type` is the list \(spot.value.excerpt), forms show one type only",
          fix: "`anyOf` of one type and null")
      } else if types.isEmpty {
        findings.error(.form, spot, "`type` is \(spot.value.excerpt), expected a string")
      }
      for type in types where !SchemaVocabulary.types.contains(type) {
        findings.error(
          .form, spot, "`type` is \"\(type)\", known are \(Self.knownTypes)",
          fix: nearestName(type, in: SchemaVocabulary.types).map { "did you mean \"\($0)\"?" })
      }
      for type in types where !inside.types.isEmpty && !Self.allows(inside.types, type) {
        findings.error(
          .form, spot,
          "the type \"\(type)\" can never fit, the schema around it says \(quoted(inside.types))")
      }
    } else if schema["nullable"] != nil {
      findings.error(.form, schema, "`nullable` stands without `type`")
    }
    if !types.isEmpty { inside.types = types }
    // Ajv forgets what stands beside a reference only when nothing else is checked there.
    checkApplicability(schema, inside.types)
  }

  private static let knownTypes = SchemaVocabulary.types.joined(separator: ", ")

  private mutating func checkApplicability(_ schema: Spot, _ types: [String]) {
    for (key, spot) in schema.members {
      guard let wanted = SchemaVocabulary.keywords[key]?.types, !wanted.isEmpty else { continue }
      if wanted.contains(where: { type in Self.applies(type, to: types) }) { continue }
      if types.isEmpty {
        findings.error(
          .form, spot, "`\(key)` stands without `type`", fix: "add `\"type\": \"\(wanted[0])\"`",
          atKey: true)
      } else {
        findings.error(
          .form, spot, "`\(key)` belongs to the type \(quoted(wanted)), this is \(quoted(types))",
          atKey: true)
      }
    }
  }

  /// Whether a keyword for one type says something about values of these types.
  private static func applies(_ type: String, to types: [String]) -> Bool {
    types.contains(type) || type == "number" && types.contains("integer")
  }

  /// Whether a type is one of these or a part of one.
  private static func allows(_ types: [String], _ type: String) -> Bool {
    types.contains(type) || type == "integer" && types.contains("number")
  }

  private func quoted(_ types: [String]) -> String {
    types.map { "\"\($0)\"" }.joined(separator: " or ")
  }

  // MARK: - What must fit together

  private mutating func checkRequired(_ schema: Spot, _ inside: Surroundings) {
    for spot in schema["required"]?.elements ?? [] {
      guard let name = spot.value.stringValue, !inside.properties.contains(name) else { continue }
      findings.error(
        .form, spot, "`required` names `\(name)`, which is not in `properties`",
        fix: nearestName(name, in: inside.properties.sorted()).map { "did you mean `\($0)`?" })
    }
  }

  private mutating func checkTuple(_ schema: Spot) {
    guard let spot = schema["prefixItems"], let count = spot.value.arrayValue?.count else { return }
    let least = schema["minItems"]?.value.intValue
    let most = schema["maxItems"]?.value.intValue
    if least == count && (most == count || schema["items"]?.value == false) { return }
    let found = "\(least.map(String.init) ?? "no") and \(most.map(String.init) ?? "no")"
    findings.error(
      .form, spot,
      "`prefixItems` has \(count) elements, but `minItems` and `maxItems` are \(found)",
      fix: "make both \(count)", atKey: true)
  }

  private mutating func checkPairs(_ schema: Spot) {
    if let spot = schema["if"], schema["then"] == nil && schema["else"] == nil {
      findings.error(.form, spot, "`if` stands without `then` and `else`", atKey: true)
    }
    for (key, needed) in [
      ("then", "if"), ("else", "if"), ("minContains", "contains"), ("maxContains", "contains"),
    ] {
      guard let spot = schema[key], schema[needed] == nil else { continue }
      findings.error(.form, spot, "`\(key)` stands without `\(needed)`", atKey: true)
    }
  }

  private mutating func checkNames(_ schema: Spot) {
    if let spot = schema["format"], let name = spot.value.stringValue,
      !SchemaVocabulary.formats.contains(name)
    {
      let nearest = nearestName(name, in: SchemaVocabulary.formats.sorted())
      findings.error(
        .form, spot, "the format \"\(name)\" is not known",
        fix: nearest.map { "did you mean \"\($0)\"?" } ?? "leave `format` out")
    }
    if let spot = schema["$ref"], let name = spot.value.stringValue,
      resolvedReference(name, in: root.value) == nil
    {
      findings.error(.form, spot, "`$ref` is \"\(name)\", which is not in this schema")
    }
  }
}

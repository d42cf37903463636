import OMJSON

/// The checks of fractal-task-tools (0.5) on args schemas, with its codes.
///
/// It looks at the schema, at what `$defs`, `properties`, `items` and `anyOf` hold, and nowhere else.
struct TaskToolsRules {
  var findings: ManifestFindings
  private let root: Spot

  init(_ root: Spot, _ findings: ManifestFindings) {
    self.root = root
    self.findings = findings
  }

  private static let null: JSON = ["type": "null"]
  private static let boolean: JSON = ["type": "boolean"]
  private static let forbiddenNames: Set<String> = [
    "args", "kwargs", "v__args", "v__kwargs", "v__duplicate_kwargs", "v__positional_only",
  ]

  /// Checks the whole schema.
  mutating func check() { check(root, unionDefault: false) }

  /// Checks a schema.
  ///
  /// - Parameters:
  ///   - schema: The schema.
  ///   - unionDefault: Whether it is an alternative of an `anyOf` with a default.
  private mutating func check(_ schema: Spot, unionDefault: Bool) {
    if schema.value.objectValue == nil { return }
    for (keyword, _, part) in schema.subschemas
    where ["$defs", "properties", "items", "anyOf"].contains(keyword) {
      check(part, unionDefault: keyword == "anyOf" && schema["default"] != nil)
    }
    checkNames(schema)
    checkValues(schema, unionDefault)
    checkDefault(schema)
    if let union = schema["anyOf"], union.value.arrayValue != nil { checkUnion(union) }
    if let choice = schema["oneOf"], choice.value.arrayValue != nil { checkChoice(choice, schema) }
  }

  // MARK: - Any schema

  private mutating func checkNames(_ schema: Spot) {
    let names = (schema["properties"]?.members ?? []) + schema.members.filter { $0.key == "name" }
    for (key, spot) in names {
      let name = key == "name" ? spot.value.stringValue ?? key : key
      guard Self.forbiddenNames.contains(name) else { continue }
      error("E01", spot, "`\(name)` is a name that Fractal forbids", fix: "take another name")
    }
    if let spot = schema["definitions"] {
      error("E02", spot, "`definitions` is not known", fix: "call it `$defs`")
    }
  }

  private mutating func checkValues(_ schema: Spot, _ unionDefault: Bool) {
    if let spot = schema["enum"], Set(spot.elements.map { Self.kind($0.value) }).count > 1 {
      error("E03", spot, "`enum` holds values of several types: \(spot.value.excerpt)")
    }
    if !["type", "anyOf", "oneOf", "items", "$ref"].contains(where: { schema[$0] != nil }) {
      error("E04", schema, "the schema has no `type`, nor anyOf, oneOf, items or $ref")
    }
    if schema["type"]?.value == "boolean" && schema["default"] == nil && !unionDefault {
      error("E05", schema, "a boolean has no default", fix: "add `\"default\": false`")
    }
    if let spot = schema["additionalProperties"], schema["type"]?.value == "object",
      spot.value == Self.boolean
    {
      error("E06", spot, "an object of booleans cannot be edited in the form")
    }
    if let spot = schema["prefixItems"], spot.value.arrayValue?.contains(Self.boolean) == true {
      error("E08", spot, "a tuple cannot hold booleans")
    }
  }

  /// The type as Python has it, where 1 and 1.0 are of two types.
  private static func kind(_ value: JSON) -> String {
    guard case .number(let text) = value else { return value.kindName }
    return text.contains { ".eE".contains($0) } ? "a float" : "an integer"
  }

  private mutating func checkDefault(_ schema: Spot) {
    guard let spot = schema["default"] else { return }
    let texts =
      switch spot.value {
      case .array(let elements): elements
      case .object(let object): object.members.flatMap { [.string($0.key), $0.value] }
      default: [spot.value]
      }
    let isBlank = { (text: String) in text.allSatisfy(\.isWhitespace) }
    if texts.contains(where: { $0.stringValue.map(isBlank) ?? false }) {
      error(
        "E07", spot, "the default \(spot.value.excerpt) is or holds an empty string",
        fix: "leave it out, or use null")
    }
  }

  // MARK: - Alternatives

  private mutating func checkUnion(_ union: Spot) {
    let parts = union.elements
    let values = parts.map(\.value)
    let hasNull = values.contains(Self.null)
    if values == [Self.null, Self.boolean] || values == [Self.boolean, Self.null] {
      error("E10", union, "a boolean cannot also be null", fix: "a boolean with a default")
    }
    if hasNull && parts.contains(where: { $0["enum"] != nil }) {
      error("E11", union, "a choice (`enum`) cannot also be null", fix: "leave null out")
    }
    let references = values.compactMap { $0["$ref"]?.stringValue }
    let targets = references.compactMap { resolvedReference($0, in: root.value) }
    if hasNull && targets.contains(where: { $0["enum"] != nil }) {
      error("E12", union, "a choice (`enum`) cannot also be null", fix: "leave null out")
    }
    let primitives = parts.compactMap { $0["type"]?.value.stringValue }.filter {
      ["boolean", "string", "integer", "number"].contains($0)
    }
    if primitives.count > 1 {
      error(
        "E13", union, "`anyOf` has the types \(primitives.joined(separator: ", "))", fix: "take one"
      )
    }
    if references.count > 1 {
      error("E14", union, "`anyOf` has \(references.count) references, one is allowed")
    }
    if parts.count > 2 { error("E15", union, "`anyOf` has \(parts.count) items, two are allowed") }
  }

  private mutating func checkChoice(_ choice: Spot, _ schema: Spot) {
    if let items = schema["items"] {
      if items["discriminator"] == nil {
        error("E20", choice, "`oneOf` beside `items` has no `discriminator` in it")
      }
    } else if schema["discriminator"] == nil {
      error("E21", choice, "`oneOf` has no `discriminator`")
    }
    if choice.elements.contains(where: { $0["$ref"] == nil }) {
      error("E22", choice, "`oneOf` has an item that is no `$ref`", fix: "move it to `$defs`")
    }
  }

  private mutating func error(
    _ code: String, _ spot: Spot, _ message: String, fix: String? = nil
  ) {
    findings.error(.taskTools(code), spot, message, fix: fix)
  }
}

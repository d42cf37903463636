import OMJSON

/// Whether values fit a schema, as far as args schemas go.
struct SchemaFit {
  /// The whole args schema, which `$ref` refers to.
  private let root: JSON
  /// The schemas that may still be looked at: references can lead round and round, and each of
  /// several alternatives can do so.
  private var steps = 10_000
  /// How many schemas within schemas are being looked at.
  private var depth = 0

  init(root: JSON) { self.root = root }

  /// What does not fit, in words; nil when the value fits.
  ///
  /// What references leave open, because they lead nowhere or on and on, counts as fitting.
  mutating func problem(of value: JSON, in schema: JSON) -> String? {
    (steps, depth) = (steps - 1, depth + 1)
    defer { depth -= 1 }
    guard steps > 0, depth < 100, let object = schema.objectValue else {
      return schema == false ? "nothing fits" : nil
    }
    if let name = object["$ref"]?.stringValue, let target = resolvedReference(name, in: root),
      let problem = problem(of: value, in: target)
    {
      return problem
    }
    for part in object["allOf"]?.arrayValue ?? [] {
      if let problem = problem(of: value, in: part) { return problem }
    }
    for keyword in ["anyOf", "oneOf"] {
      if let problem = problem(of: value, inEachOf: object[keyword]?.arrayValue ?? []) {
        return problem
      }
    }
    return ownProblem(of: value, in: object) ?? partProblem(of: value, in: object)
  }

  /// Why no alternative fits; the one that is not null says more than "none".
  private mutating func problem(of value: JSON, inEachOf parts: [JSON]) -> String? {
    var told: String?
    for part in parts {
      guard let problem = problem(of: value, in: part) else { return nil }
      if part["type"] != "null" { told = told ?? problem }
    }
    return parts.isEmpty ? nil : told ?? "no alternative fits"
  }

  private func ownProblem(of value: JSON, in schema: JSONObject) -> String? {
    let types =
      schema["type"]?.stringValue.map { [$0] }
      ?? (schema["type"]?.arrayValue ?? []).compactMap(\.stringValue)
    if !types.isEmpty && !types.contains(where: { Self.is(value, $0) }) {
      return "the type is \(types.joined(separator: " or "))"
    }
    if let choices = schema["enum"]?.arrayValue, !choices.contains(value) {
      return "allowed are \(choices.map { $0.stringValue ?? $0.text() }.joined(separator: ", "))"
    }
    if let constant = schema["const"], constant != value { return "allowed is \(constant.excerpt)" }
    let size = value.stringValue?.unicodeScalars.count ?? value.arrayValue?.count
    let least = schema[value.stringValue != nil ? "minLength" : "minItems"]?.intValue
    let most = schema[value.stringValue != nil ? "maxLength" : "maxItems"]?.intValue
    if let size, size < least ?? 0 || size > most ?? .max {
      return "its length is \(size), allowed are \(least ?? 0) to \(most.map(String.init) ?? "any")"
    }
    return value.doubleValue.flatMap { rangeProblem(of: $0, in: schema) }
  }

  private func rangeProblem(of number: Double, in schema: JSONObject) -> String? {
    let limits: [(String, (Double, Double) -> Bool, String)] = [
      ("minimum", { $0 >= $1 }, "or more"), ("maximum", { $0 <= $1 }, "or less"),
      ("exclusiveMinimum", { $0 > $1 }, "exclusive or more"),
      ("exclusiveMaximum", { $0 < $1 }, "exclusive or less"),
    ]
    for (key, holds, words) in limits {
      if let limit = schema[key]?.doubleValue, !holds(number, limit) {
        return "allowed is \(canonicalNumber(limit)) \(words)"
      }
    }
    return nil
  }

  private mutating func partProblem(of value: JSON, in schema: JSONObject) -> String? {
    let firsts = schema["prefixItems"]?.arrayValue ?? []
    for (index, element) in (value.arrayValue ?? []).enumerated() {
      guard let part = index < firsts.count ? firsts[index] : schema["items"] else { break }
      if let problem = problem(of: element, in: part) { return problem }
    }
    guard let object = value.objectValue else { return nil }
    let required = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
    if let missing = required.first(where: { object[$0] == nil }) {
      return "`\(missing)` is missing in it"
    }
    for (key, member) in object.members {
      guard let part = schema["properties"]?[key] ?? schema["additionalProperties"] else {
        continue
      }
      if let problem = problem(of: member, in: part) { return problem }
    }
    return nil
  }

  private static func `is`(_ value: JSON, _ type: String) -> Bool {
    switch type {
    case "null": value == .null
    case "boolean": value.boolValue != nil
    case "integer": value.intValue(integral: true) != nil
    case "number": value.doubleValue != nil
    case "string": value.stringValue != nil
    case "array": value.arrayValue != nil
    case "object": value.objectValue != nil
    default: true
    }
  }
}

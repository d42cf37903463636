import OMJSON

extension ParameterDeclaration {
  /// Reads one property of an args schema.
  ///
  /// - Throws: A fault of kind `manifest` with the property as subject.
  init(
    _ name: String, _ property: JSON, isRequired: Bool, traits: TaskTraits, subject: String
  ) throws(Fault) {
    guard let outer = property.objectValue else {
      throw Fault(.manifest, subject, "the property is not an object")
    }
    try checkKeywords(outer, Self.keywords + ["anyOf"], subject)
    let (value, isNullable) = try Self.valueSchema(outer, subject)
    let type = try Self.type(of: value, subject)
    let choices = try Self.choices(of: value, type, subject)
    if isNullable && (type == .boolean || !choices.isEmpty) {
      throw Fault(.manifest, subject, "a boolean or a choice cannot also be null")
    }
    self.name = name
    title = outer["title"]?.stringValue ?? name
    description = outer["description"]?.stringValue ?? ""
    self.type = type
    self.choices = choices
    // The range of a list is that of its elements.
    let bounded = type.isList ? value["items"]?.objectValue ?? [:] : value
    if type.isList { try checkKeywords(bounded, ["type", "minimum", "maximum"], subject) }
    minimum = bounded["minimum"]?.doubleValue
    maximum = bounded["maximum"]?.doubleValue
    if let minimum, let maximum, minimum > maximum {
      throw Fault(
        .manifest, subject,
        "`minimum` \(canonicalNumber(minimum)) is above `maximum` \(canonicalNumber(maximum))")
    }
    self.isRequired = isRequired
    self.isNullable = isNullable
    unit = traits.units[name]
    changesResult = !traits.runOnly.contains(name)
    fit = nil
    defaultValue = nil
    defaultValue = try boundDefault(outer["default"], isNullable: isNullable, subject)
  }

  /// Reads one property of an args schema that was made for other programs.
  ///
  /// What ``init(_:_:isRequired:traits:subject:)`` knows is read by it; any other property is a JSON
  /// value that must fit its schema.
  ///
  /// - Parameters:
  ///   - name: The name of the parameter.
  ///   - property: Its schema.
  ///   - root: The whole args schema.
  ///   - isRequired: Whether a value must be given.
  ///   - traits: What our block says of the parameters.
  init(
    foreign name: String, _ property: JSON, root: JSON, isRequired: Bool, traits: TaskTraits
  ) {
    if let flat = try? Self(
      name, property, isRequired: isRequired, traits: traits, subject: "")
    {
      self = flat
      return
    }
    self.name = name
    title = property["title"]?.stringValue ?? name
    description = property["description"]?.stringValue ?? ""
    type = .json
    (choices, minimum, maximum, isNullable) = ([], nil, nil, false)
    defaultValue = property["default"].flatMap { $0 == .null ? nil : $0 }
    self.isRequired = isRequired
    unit = traits.units[name]
    changesResult = !traits.runOnly.contains(name)
    fit = SchemaPlace(schema: property, root: root)
  }

  static let keywords = [
    "type", "title", "description", "default", "enum", "minimum", "maximum", "items",
  ]

  /// The schema of the value itself: the property, or what stands beside null in its `anyOf`.
  private static func valueSchema(
    _ outer: JSONObject, _ subject: String
  ) throws(Fault) -> (schema: JSONObject, isNullable: Bool) {
    guard let anyOf = outer["anyOf"] else { return (outer, false) }
    let parts = (anyOf.arrayValue ?? []).compactMap(\.objectValue)
    let values = parts.filter { $0["type"]?.stringValue != "null" }
    guard parts.count == 2, values.count == 1, let value = values.first, outer["type"] == nil else {
      throw Fault(.manifest, subject, "`anyOf` is not one type and null")
    }
    try checkKeywords(value, keywords, subject)
    return (value, true)
  }

  private static func type(of schema: JSONObject, _ subject: String) throws(Fault) -> ParameterType
  {
    let text = schema["type"]?.stringValue ?? "none"
    let items = schema["items"]?.objectValue?["type"]?.stringValue
    switch (text, items) {
    case ("boolean", nil): return .boolean
    case ("integer", nil): return .integer
    case ("number", nil): return .number
    case ("string", nil): return .string
    case ("array", "string"): return .strings
    case ("array", "integer"): return .integers
    case ("array", "number"): return .numbers
    default:
      throw Fault(
        .manifest, subject, "type \(text)\(items.map { " of \($0)" } ?? "") is not one of ours",
        hint: "use boolean, integer, number, string, or an array of string, integer or number")
    }
  }

  private static func choices(
    of schema: JSONObject, _ type: ParameterType, _ subject: String
  ) throws(Fault) -> [String] {
    guard let values = schema["enum"] else { return [] }
    let choices = (values.arrayValue ?? []).compactMap(\.stringValue)
    if type != .string || choices.isEmpty || choices.count != values.arrayValue?.count
      || Set(choices).count != choices.count
    {
      throw Fault(.manifest, subject, "`enum` is not a list of different strings")
    }
    return choices
  }

  /// The default in the form of a bound value; it must be one that a user could give.
  private func boundDefault(
    _ given: JSON?, isNullable: Bool, _ subject: String
  ) throws(Fault) -> JSON? {
    if isNullable && given != .null {
      throw Fault(.manifest, subject, "a value that may be null needs `\"default\": null`")
    }
    if type == .boolean && given == nil && !isRequired {
      throw Fault(.manifest, subject, "a boolean needs a default")
    }
    if given == .string("") {
      throw Fault(.manifest, subject, "an empty text is no default", hint: "use null")
    }
    guard let given, given != .null else { return nil }
    let bound: JSON
    do throws(Fault) {
      bound = try ParameterValue.canonical(given, for: self, named: "default", task: name)
    } catch {
      throw Fault(.manifest, subject, error.message, hint: error.hint)
    }
    if bound.kindName != given.kindName {
      throw Fault(.manifest, subject, "the default \(given.excerpt) is not \(type.phrase)")
    }
    return bound
  }
}

import OMJSON

/// Turns what a user or an engine gave into the one form in which a parameter's value is kept.
///
/// Types are read leniently where the declaration leaves no doubt (`"500.0"` for a number), and
/// numbers get one text, so that equal calls have equal values.
enum ParameterValue {
  /// The value in its kept form.
  ///
  /// - Parameters:
  ///   - given: What was given; not null.
  ///   - declaration: The parameter.
  ///   - shown: How the user wrote the parameter's name.
  ///   - task: The task, for messages.
  /// - Returns: The value to keep.
  /// - Throws: A fault of kind `usage` with the value given and what is allowed.
  static func canonical(
    _ given: JSON, for declaration: ParameterDeclaration, named shown: String, task: String
  ) throws(Fault) -> JSON {
    let subject = Subject(declaration: declaration, shown: shown, task: task)
    let value = try canonical(given, subject)
    for place in declaration.others {
      guard let problem = place.problem(of: value) else { continue }
      throw subject.fault(given, "gives it to two programs, and one of them refuses it: \(problem)")
    }
    return value
  }

  private static func canonical(_ given: JSON, _ subject: Subject) throws(Fault) -> JSON {
    let declaration = subject.declaration
    if declaration.type == .json { return try fitting(given, subject) }
    guard declaration.type.isList else { return try element(given, declaration.type, subject) }
    let type: ParameterType =
      switch declaration.type {
      case .strings: .string
      case .integers: .integer
      default: .number
      }
    var elements: [JSON] = []
    for item in given.arrayValue ?? [given] {
      elements.append(try element(item, type, subject))
    }
    return .array(elements)
  }

  /// What an error message needs to know.
  private struct Subject {
    let declaration: ParameterDeclaration
    let shown: String
    let task: String

    func fault(_ given: JSON, _ allowed: String, hint: String? = nil) -> Fault {
      let value = given.stringValue ?? given.text()
      return Fault(
        .usage, "", "`\(shown)` is `\(value)`, the manifest of \(task) \(allowed)", hint: hint)
    }
  }

  private static func element(
    _ given: JSON, _ type: ParameterType, _ subject: Subject
  ) throws(Fault) -> JSON {
    let value: JSON? =
      switch type {
      case .boolean: boolean(given).map { .bool($0) }
      case .integer: integer(given).map { .number("\($0)") }
      case .number: number(given).map { .number($0) }
      default: text(given).map { .string($0) }
      }
    guard let value else {
      throw subject.fault(given, "asks for \(subject.declaration.type.phrase)")
    }
    try checkRange(value, subject)
    try checkChoice(value, subject)
    return value
  }

  /// A value that fits the schema of its parameter.
  ///
  /// On a command line everything is a text: it is read as JSON when that fits.
  private static func fitting(_ given: JSON, _ subject: Subject) throws(Fault) -> JSON {
    guard let place = subject.declaration.fit else { return given }
    var problem = place.problem(of: given)
    if subject.shown.hasPrefix("--"), let text = given.stringValue,
      let read = try? JSON(parsing: Array(text.utf8), subject: "")
    {
      guard let other = place.problem(of: read) else { return read }
      if problem != nil { problem = other }
    }
    guard let problem else { return given }
    let value = given.stringValue ?? given.excerpt
    throw Fault(
      .usage, "",
      "`\(subject.shown)` is `\(value)`, which does not fit the manifest of \(subject.task): "
        + problem, hint: "`omtask tasks show TASK --json` shows what fits")
  }

  private static func boolean(_ given: JSON) -> Bool? {
    if let value = given.boolValue { return value }
    return switch given.stringValue?.lowercased() {
    case "true": true
    case "false": false
    default: nil
    }
  }

  private static func integer(_ given: JSON) -> Int? {
    guard let text = number(given) else { return nil }
    return Int(text)
  }

  /// The kept text of a number: integers exactly, all others as the nearest double.
  private static func number(_ given: JSON) -> String? {
    let text: String
    switch given {
    case .number(let digits): text = digits
    case .string(let words): text = words
    default: return nil
    }
    let allowed: Set<Character> = Set("0123456789+-.eE")
    if text.isEmpty || !text.allSatisfy(allowed.contains) { return nil }
    if let exact = Int64(text) { return "\(exact)" }
    if let exact = UInt64(text) { return "\(exact)" }
    guard let value = Double(text), value.isFinite else { return nil }
    return canonicalNumber(value)
  }

  private static func text(_ given: JSON) -> String? {
    if case .number(let digits) = given { return digits }
    return given.stringValue
  }

  private static func checkRange(_ value: JSON, _ subject: Subject) throws(Fault) {
    guard case .number = value, let number = value.doubleValue,
      let range = subject.declaration.range
    else { return }
    if let low = subject.declaration.minimum, number < low {
      throw subject.fault(value, "allows \(range)")
    }
    if let high = subject.declaration.maximum, number > high {
      throw subject.fault(value, "allows \(range)")
    }
  }

  private static func checkChoice(_ value: JSON, _ subject: Subject) throws(Fault) {
    let choices = subject.declaration.choices
    guard let text = value.stringValue, !choices.isEmpty, !choices.contains(text) else { return }
    throw subject.fault(
      value, "allows \(choices.joined(separator: ", "))",
      hint: nearestName(text, in: choices).map { "did you mean `\($0)`?" })
  }
}

import OMJSON

/// What a document is judged with.
enum Setting: Sendable {
  /// With everything around it.
  case hierarchy
  /// Alone, as the published schemas judge it: what they cannot see is a warning.
  case document
  /// Alone, and only a part of a document.
  case fragment
}

/// Goes over one document and notes every rule that it breaks.
///
/// The checks of each part are extensions in `Checks`.
struct Inspector: Sendable {
  /// The document, for messages.
  let file: String
  /// The version that it follows.
  let version: FormatVersion
  /// What it is judged with.
  let setting: Setting
  /// Whether SHOULDs count like MUSTs.
  let isStrict: Bool
  /// What was found so far.
  var findings = Findings()

  init(file: String, version: FormatVersion, setting: Setting, isStrict: Bool) {
    self.file = file
    self.version = version
    self.setting = setting
    self.isStrict = isStrict
  }

  /// Notes that a rule is broken, if it holds for this version.
  mutating func report(
    _ rule: Rule, _ spot: Spot, _ message: String, isMissing: Bool = false
  ) {
    guard let scope = rule.scope(in: version) else { return }
    let severity = self.severity(scope)
    let file = file
    findings.add(severity, rule) {
      Finding(
        severity: severity, rule: rule, level: scope.level, file: file, pointer: spot.pointer,
        found: isMissing ? nil : spot.value.excerpt, message: message)
    }
  }

  private func severity(_ scope: RuleScope) -> Severity {
    let counts = setting == .hierarchy || scope.isInSchema
    return switch scope.level {
    case .must: counts ? .error : .warning
    case .should: isStrict && counts ? .error : .warning
    case .wish: isStrict && counts ? .error : .note
    case .info: .note
    }
  }
}

// MARK: - Shapes of members

extension Inspector {
  /// The value of a member that may be absent; a wrong shape breaks the rule.
  @discardableResult
  mutating func optional<Value>(
    _ key: String, _ shape: JSONShape<Value>, in object: Spot, _ rule: Rule
  ) -> Value? {
    guard let spot = object[key] else { return nil }
    if let value = shape.value(spot.value) { return value }
    report(rule, spot, "`\(key)` is \(spot.value.excerpt), expected \(shape.name)")
    return nil
  }

  /// The value of a member that must be there; absence or a wrong shape breaks the rule.
  @discardableResult
  mutating func required<Value>(
    _ key: String, _ shape: JSONShape<Value>, in object: Spot, _ rule: Rule
  ) -> Value? {
    if object[key] == nil {
      report(rule, object, "`\(key)` is missing, expected \(shape.name)", isMissing: true)
    }
    return optional(key, shape, in: object, rule)
  }

  /// Notes that a member is absent.
  mutating func expect(_ key: String, in object: Spot, _ rule: Rule) {
    if object[key] == nil { report(rule, object, "`\(key)` is missing", isMissing: true) }
  }

  /// The objects of a list that must not be empty; nil when it is no such list.
  ///
  /// Elements that are no objects break the rule and are left out.
  mutating func objects(_ list: Spot, _ name: String, _ rule: Rule, mayBeEmpty: Bool = false)
    -> [Spot]?
  {
    guard let elements = list.value.arrayValue, mayBeEmpty || !elements.isEmpty else {
      report(
        rule, list,
        "`\(name)` is \(list.value.excerpt), expected a list of \(mayBeEmpty ? "" : "one or more ")objects"
      )
      return nil
    }
    return list.elements.filter { element in
      if element.value.objectValue != nil { return true }
      report(
        rule, element, "an element of `\(name)` is \(element.value.excerpt), expected an object")
      return false
    }
  }

  /// The objects of a member that must be a list and not empty.
  mutating func requiredObjects(
    _ key: String, in object: Spot, _ rule: Rule, mayBeEmpty: Bool = false
  ) -> [Spot]? {
    guard let list = object[key] else {
      report(rule, object, "`\(key)` is missing, expected a list of objects", isMissing: true)
      return nil
    }
    return objects(list, key, rule, mayBeEmpty: mayBeEmpty)
  }

  /// Notes elements of a list that are equal to an earlier one.
  mutating func unique(_ elements: [Spot], _ name: String, _ rule: Rule) {
    var seen: Set<String> = []
    for element in elements where !seen.insert(element.value.canonical.text()).inserted {
      report(rule, element, "`\(name)` holds this twice")
    }
  }

  /// Notes texts that stand twice.
  mutating func uniqueTexts(
    _ texts: [(text: String, spot: Spot)], _ name: String, _ rule: Rule
  ) {
    var seen: Set<String> = []
    for (text, spot) in texts where !seen.insert(text).inserted {
      report(rule, spot, "\(name) `\(text)` stands twice")
    }
  }
}

public import OMJSON

/// One thing that a check of a manifest found.
public struct ManifestFinding: Sendable, Equatable {
  /// Whether it has to be put right.
  public enum Severity: String, Sendable, CaseIterable {
    /// Somebody who reads the manifest refuses it, or does what its author did not mean.
    case error
    /// It works, and would be better otherwise.
    case note
  }

  /// The rule that was broken, by its reader.
  public enum Rule: Sendable, Equatable {
    /// The text is no JSON.
    case json
    /// omtask's own reader.
    case omtask
    /// The arguments that the Fractal server sets.
    case arguments
    /// Fractal server, when it collects the manifest or makes the tasks.
    case server
    /// The form of Fractal's web client (Ajv in strict mode).
    case form
    /// A check of fractal-task-tools, by its code.
    case taskTools(String)
    /// Custom; always a note.
    case advice

    /// The name in answers: `omtask`, `E05`.
    public var name: String {
      switch self {
      case .json: "json"
      case .omtask: "omtask"
      case .arguments: "arguments"
      case .server: "server"
      case .form: "form"
      case .taskTools(let code): code
      case .advice: "advice"
      }
    }
  }

  /// Whether it has to be put right.
  public let severity: Severity
  /// The rule that was broken.
  public let rule: Rule
  /// Where it is; for something missing, what should hold it.
  public let pointer: JSONPointer
  /// Whether it is the key of the member that is wrong, not its value.
  public let isAboutKey: Bool
  /// What is wrong, with both values.
  public let message: String
  /// What to do about it.
  public let fix: String?
}

/// A value of the document with its place.
struct Spot {
  let value: JSON
  let pointer: JSONPointer

  /// The member of this name; nil when there is none.
  subscript(key: String) -> Spot? {
    value[key].map { Spot(value: $0, pointer: pointer.appending(key)) }
  }

  /// The member of this name; nil when it is absent or null.
  func given(_ key: String) -> Spot? {
    self[key].flatMap { $0.value == .null ? nil : $0 }
  }

  /// The members when this is an object.
  var members: [(key: String, spot: Spot)] {
    (value.objectValue?.members ?? []).map {
      ($0.key, Spot(value: $0.value, pointer: pointer.appending($0.key)))
    }
  }

  /// The elements when this is a list.
  var elements: [Spot] {
    (value.arrayValue ?? []).enumerated().map {
      Spot(value: $1, pointer: pointer.appending("\($0)"))
    }
  }
}

/// What a check has found so far.
struct ManifestFindings {
  private(set) var all: [ManifestFinding] = []

  /// Notes a mistake.
  mutating func error(
    _ rule: ManifestFinding.Rule, _ spot: Spot, _ message: String, fix: String? = nil,
    atKey: Bool = false
  ) {
    add(.error, rule, spot, message, fix, atKey)
  }

  /// Notes something that could be better.
  mutating func note(_ spot: Spot, _ message: String, fix: String? = nil, atKey: Bool = false) {
    add(.note, .advice, spot, message, fix, atKey)
  }

  private mutating func add(
    _ severity: ManifestFinding.Severity, _ rule: ManifestFinding.Rule, _ spot: Spot,
    _ message: String, _ fix: String?, _ atKey: Bool
  ) {
    let finding = ManifestFinding(
      severity: severity, rule: rule, pointer: spot.pointer, isAboutKey: atKey, message: message,
      fix: fix)
    if !all.contains(finding) { all.append(finding) }
  }

  /// Whether a mistake was found in a value or in what it holds.
  func hasErrors(within pointer: JSONPointer) -> Bool {
    all.contains { $0.severity == .error && $0.pointer.isWithin(pointer) }
  }
}

// MARK: - Shapes of members

extension ManifestFindings {
  /// The value of a member that may be absent; a wrong shape is noted.
  mutating func optional<Value>(
    _ key: String, _ shape: JSONShape<Value>, in object: Spot, _ rule: ManifestFinding.Rule,
    nullable: Bool = false
  ) -> Value? {
    guard let spot = object[key] else { return nil }
    if spot.value == .null && nullable { return nil }
    if let value = shape.value(spot.value) { return value }
    error(
      rule, spot, "`\(key)` is \(spot.value.excerpt), expected \(shape.name)",
      fix: spot.value == .null ? "leave it out" : nil)
    return nil
  }

  /// The value of a member that must be there; absence or a wrong shape is noted.
  mutating func required<Value>(
    _ key: String, _ shape: JSONShape<Value>, in object: Spot, _ rule: ManifestFinding.Rule
  ) -> Value? {
    if object[key] == nil {
      error(rule, object, "`\(key)` is missing, expected \(shape.name)")
    }
    return optional(key, shape, in: object, rule)
  }

  /// Notes members that nobody knows, with the nearest name that somebody does.
  mutating func checkKeys(_ object: Spot, _ known: [String], _ rule: ManifestFinding.Rule) {
    for (key, spot) in object.members where !known.contains(key) {
      error(
        rule, spot, "`\(key)` is not known here",
        fix: nearestName(key, in: known).map { "did you mean `\($0)`?" }
          ?? "known are \(known.joined(separator: ", "))", atKey: true)
    }
  }
}

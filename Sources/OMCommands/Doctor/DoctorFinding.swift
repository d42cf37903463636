import OMJSON

/// One thing that `omtask doctor` found out.
struct DoctorFinding: Sendable, Equatable {
  /// How it stands, from best to worst.
  enum Level: String, Sendable, CaseIterable {
    /// As it should be.
    case ok
    /// Good to know.
    case note
    /// Runs work, but slowly, or not in every way.
    case warning
    /// A run here would end with an error.
    case problem
  }

  /// How it stands.
  let level: Level
  /// A stable name, in two parts: `cores.threads`.
  let key: String
  /// What it is about, where there may be several: a path or a URL.
  var subject: String?
  /// What was found, for programs.
  let value: JSON
  /// What was found, in one sentence without a final stop.
  let text: String
  /// What to do about it; warnings and problems have one.
  let advice: String?
  /// What a run would fail with here; only problems have one.
  let kind: FaultKind?

  /// The part of the key before the point.
  var group: String { String(key.prefix { $0 != "." }) }

  /// Something that is as it should be.
  static func ok(_ key: String, _ value: JSON, _ text: String) -> Self {
    Self(level: .ok, key: key, value: value, text: text, advice: nil, kind: nil)
  }

  /// Something that is good to know.
  static func note(_ key: String, _ value: JSON, _ text: String, do advice: String? = nil) -> Self {
    Self(level: .note, key: key, value: value, text: text, advice: advice, kind: nil)
  }

  /// Something that should be changed.
  static func warning(_ key: String, _ value: JSON, _ text: String, do advice: String) -> Self {
    Self(level: .warning, key: key, value: value, text: text, advice: advice, kind: nil)
  }

  /// Something that lets a run fail.
  static func problem(
    _ kind: FaultKind, _ key: String, _ value: JSON, _ text: String, do advice: String
  ) -> Self {
    Self(level: .problem, key: key, value: value, text: text, advice: advice, kind: kind)
  }

  /// What a fault says that a run would have, too.
  static func problem(_ key: String, _ value: JSON, _ fault: Fault) -> Self {
    problem(
      fault.kind, key, value, fault.message,
      do: fault.hint ?? "see the exit codes in docs/cli/README.md")
  }

  /// The same about one of several places.
  func about(_ subject: String) -> Self {
    var copy = self
    copy.subject = subject
    return copy
  }

  /// The finding for programs.
  var json: JSON {
    [
      "key": .string(key), "subject": subject.map { .string($0) } ?? .null,
      "level": .string(level.rawValue), "value": value, "text": .string(text),
      "advice": advice.map { .string($0) } ?? .null,
    ]
  }
}

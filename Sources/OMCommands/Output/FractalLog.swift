import OMJSON

/// Fractal's log lines, used only where Fractal announced itself by `FRACTAL_…` variables.
///
///     2026-01-31 09:15:02,123; threshold; INFO; START
struct FractalLog: MessageStyle {
  /// The levels of Python's logging that Fractal knows.
  enum Level: String, CaseIterable, Comparable {
    case debug = "DEBUG"
    case info = "INFO"
    case warning = "WARNING"
    case error = "ERROR"
    case critical = "CRITICAL"

    static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

    private var rank: Int { Level.allCases.firstIndex(of: self) ?? 0 }
  }

  let logger: String
  let lowest: Level
  let format: String
  let time: @Sendable () -> String

  /// The log style that the environment asks for, or nil outside Fractal.
  ///
  /// - Parameters:
  ///   - environment: Where `FRACTAL_TASK_LOG_LEVEL` and `FRACTAL_TASK_LOG_FORMAT` are looked up.
  ///   - logger: The name in each line, customarily the task's.
  ///   - time: The local time as `2026-01-31 09:15:02,123`.
  /// - Throws: A fault of kind `usage` when the level is none of Python's five.
  init?(
    _ environment: Environment, logger: String, time: @escaping @Sendable () -> String
  ) throws(Fault) {
    guard environment.names.contains(where: { $0.hasPrefix("FRACTAL_") }) else { return nil }
    let name = environment["FRACTAL_TASK_LOG_LEVEL"] ?? Level.info.rawValue
    guard let level = Level(rawValue: name) else {
      let known = Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw Fault(
        .usage, "FRACTAL_TASK_LOG_LEVEL", "`\(name)` is not a log level", hint: "one of \(known)")
    }
    self.logger = logger
    lowest = level
    format =
      environment["FRACTAL_TASK_LOG_FORMAT"]
      ?? "%(asctime)s; %(name)s; %(levelname)s; %(message)s"
    self.time = time
  }

  func error(_ fault: Fault) -> [String] {
    let about = [fault.hint.map { "hint: \($0)" }].compactMap { $0 } + fault.facts
    return about.compactMap { line(.info, $0) }
      + [line(.error, "error[\(fault.kind.rawValue)]: \(fault)")].compactMap { $0 }
  }

  func warning(_ text: String) -> String? { line(.warning, text) }

  func note(_ text: String) -> String? { line(.info, text) }

  /// A line in the wanted format, or nil when its level is below the wanted one.
  private func line(_ level: Level, _ message: String) -> String? {
    if level < lowest { return nil }
    let fields = [
      "%(asctime)s": time(), "%(name)s": logger, "%(levelname)s": level.rawValue,
      "%(message)s": printable(message),
    ]
    return replaceFields(format, fields)
  }
}

/// Replaces each `%(field)s` of a Python format once, left to right; the values are not searched again.
private func replaceFields(_ format: String, _ fields: [String: String]) -> String {
  var result = ""
  var rest = format[...]
  while let character = rest.first {
    if let field = fields.first(where: { rest.hasPrefix($0.key) }) {
      result += field.value
      rest = rest.dropFirst(field.key.count)
    } else {
      result.append(character)
      rest = rest.dropFirst()
    }
  }
  return result
}

import OMJSON

/// Messages on a terminal: the error first, its facts, a blank line, the way out.
struct TerminalStyle: MessageStyle {
  /// Whether words are coloured; colour never carries meaning of its own.
  let colour: Bool

  /// Makes the style.
  init(colour: Bool) { self.colour = colour }

  func error(_ fault: Fault) -> [String] {
    var lines = ["\(painted("error:", "1;31")) \(printable(fault.description))"]
    lines += fault.facts.map { "  \(printable($0))" }
    if let hint = fault.hint {
      lines += ["", "\(painted("hint:", "1;36")) \(printable(hint))"]
    }
    return lines
  }

  func warning(_ text: String) -> String? {
    "\(painted("warning:", "1;33")) \(printable(text))"
  }

  func note(_ text: String) -> String? { printable(text) }

  private func painted(_ word: String, _ code: String) -> String {
    colour ? "\u{1B}[\(code)m\(word)\u{1B}[0m" : word
  }
}

/// Messages in a log: one line each, the cause of the failure in the last line.
struct LogStyle: MessageStyle {
  /// Makes the style.
  init() {}

  func error(_ fault: Fault) -> [String] {
    var lines: [String] = []
    if let hint = fault.hint { lines.append("omtask: hint: \(printable(hint))") }
    lines += fault.facts.map { "omtask: note: \(printable($0))" }
    lines.append(
      "omtask: error[\(fault.kind.rawValue)]: \(printable(fault.description))")
    return lines
  }

  func warning(_ text: String) -> String? { "omtask: warning: \(printable(text))" }

  func note(_ text: String) -> String? { "omtask: \(printable(text))" }
}

/// Whether messages to this place are coloured: only on a terminal that can, unless `NO_COLOR` is set.
func usesColour(_ sink: any ByteSink, _ environment: Environment) -> Bool {
  let refused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
  return sink.isTerminal && !refused && environment["TERM"] != "dumb"
}

import OMJSON

/// How messages to people look: on a terminal, in a log, in Fractal's log.
protocol MessageStyle: Sendable {
  /// The lines of a fault.
  func error(_ fault: Fault) -> [String]

  /// The line of something the user should look at, though the run goes on; nil where such lines
  /// are not wanted.
  func warning(_ text: String) -> String?

  /// A line of information; nil where such lines are not wanted.
  func note(_ text: String) -> String?
}

/// Finds the style of a place: Fractal's where Fractal runs, colour on a terminal, else plain lines.
///
/// - Parameters:
///   - sink: Where messages go.
///   - environment: What `NO_COLOR`, `TERM` and `FRACTAL_…` say.
///   - subject: What the messages are about: the task, or the program before it is known.
/// - Returns: The style.
/// - Throws: A fault of kind `usage` when Fractal's variables are wrong.
func messageStyle(
  for sink: any ByteSink, _ environment: Environment, about subject: String
) throws(Fault) -> any MessageStyle {
  if let style = try FractalLog(environment, logger: subject, time: WallClock.local) {
    return style
  }
  if sink.isTerminal { return TerminalStyle(colour: usesColour(sink, environment)) }
  return LogStyle()
}

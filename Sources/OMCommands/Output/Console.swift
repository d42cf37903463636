import OMJSON
import Synchronization

/// The one voice to people: whole messages, and a progress line that they never tear.
final class Console: Sendable {
  private let sink: any ByteSink
  private let state: Mutex<State>

  private struct State {
    var style: any MessageStyle
    /// The progress line now on the terminal's last line; empty when there is none.
    var live = ""
    /// Whether this process tells anything; of several ranks only one does.
    var speaks = true
  }

  /// Makes the console of a place, with the style that fits it.
  init(_ sink: any ByteSink, style: any MessageStyle) {
    self.sink = sink
    state = Mutex(State(style: style))
  }

  /// Whether a person looks at a terminal.
  var isTerminal: Bool { sink.isTerminal }

  /// The width of the terminal in characters.
  var columns: Int { sink.columns }

  /// Changes how messages look, once it is known which task speaks.
  func use(
    _ style: (any ByteSink) throws(Fault) -> any MessageStyle
  ) throws(Fault) {
    let style = try style(sink)
    state.withLock { $0.style = style }
  }

  /// Leaves it to another rank to tell, or takes that back.
  func hush(_ isQuiet: Bool = true) {
    state.withLock { $0.speaks = !isQuiet }
  }

  /// Prints a fault.
  ///
  /// - Parameters:
  ///   - fault: What happened.
  ///   - always: Whether also a rank prints it that is silent otherwise.
  func error(_ fault: Fault, always: Bool = false) {
    state.withLock { print($0.style.error(fault), &$0, always: always) }
  }

  /// Prints something the user should look at.
  func warning(_ text: String) {
    state.withLock { state in print([state.style.warning(text)].compactMap { $0 }, &state) }
  }

  /// Prints lines of information.
  func note(_ lines: [String]) {
    state.withLock { state in print(lines.compactMap { state.style.note($0) }, &state) }
  }

  /// Prints a line of information.
  func note(_ line: String) { note([line]) }

  /// Shows a progress line that the next one replaces; the empty text takes it away.
  func live(_ text: String) {
    state.withLock { state in
      if text == state.live || !state.speaks { return }
      state.live = text
      send("\r\u{1B}[K" + text)
    }
  }

  /// Prints whole lines above the progress line.
  private func print(_ lines: [String], _ state: inout State, always: Bool = false) {
    if lines.isEmpty || !(state.speaks || always) { return }
    let text = lines.map { $0 + "\n" }.joined()
    send(state.live.isEmpty ? text : "\r\u{1B}[K" + text + state.live)
  }

  /// Writes what can be written: a closed stderr must not stop a run that is under way.
  private func send(_ text: String) { try? sink.write(text) }
}

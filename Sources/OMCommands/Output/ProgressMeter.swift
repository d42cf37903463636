import ArgumentParser
import OMRun
import Synchronization

/// How progress is shown.
enum ProgressSetting: String, Sendable, CaseIterable, ExpressibleByArgument {
  /// A bar on a terminal, lines elsewhere.
  case auto
  /// Lines.
  case plain
  /// Nothing.
  case none
}

/// Decides when progress is shown: a bar often, lines in a log seldom.
final class ProgressMeter: Sendable {
  private let console: Console
  private let form: Form
  private let lastShown = Mutex<Double?>(nil)

  private enum Form { case bar, lines, nothing }

  /// Seconds between two pictures of the bar.
  private static let barInterval = 0.2
  /// Seconds between two lines.
  private static let lineInterval = 10.0

  /// Makes a meter that speaks through `console`.
  init(_ setting: ProgressSetting, _ console: Console) {
    self.console = console
    switch setting {
    case .auto: form = console.isTerminal ? .bar : .lines
    case .plain: form = .lines
    case .none: form = .nothing
    }
  }

  /// Shows the progress if it is time.
  ///
  /// - Parameters:
  ///   - progress: What is done.
  ///   - seconds: Seconds since the start.
  func show(_ progress: RunProgress, seconds: Double) {
    switch form {
    case .nothing: return
    case .bar:
      if !isDue(seconds, every: Self.barInterval, first: 0) { return }
      console.live(ProgressText(progress, seconds: seconds).bar(columns: console.columns))
    case .lines:
      // A run of a few seconds needs no line at all.
      if !isDue(seconds, every: Self.lineInterval, first: Self.lineInterval) { return }
      console.note(ProgressText(progress, seconds: seconds).line)
    }
  }

  /// Takes the bar away.
  func finish() {
    if form == .bar { console.live("") }
  }

  /// Whether enough time has passed; notes the moment if so.
  private func isDue(_ seconds: Double, every interval: Double, first: Double) -> Bool {
    lastShown.withLock { last in
      if seconds < last.map({ $0 + interval }) ?? first { return false }
      last = seconds
      return true
    }
  }
}

import OMRun

/// How far a run is, in words.
struct ProgressText {
  /// What is done.
  let progress: RunProgress
  /// Seconds since the start.
  let seconds: Double

  /// Makes the words for a moment of a run.
  init(_ progress: RunProgress, seconds: Double) {
    self.progress = progress
    self.seconds = seconds
  }

  /// The share that is done, 0…1.
  private var share: Double {
    progress.total > 0 ? min(1, Double(progress.done) / Double(progress.total)) : 0
  }

  /// Whole percent, rounded down so that 100 means done.
  private var percent: String { "\(Int(share * 100))%" }

  private var count: String { "\(progress.done)/\(progress.total) \(progress.unit)" }

  private var rate: String {
    "\(byteText(seconds > 0 ? Double(progress.bytes) / seconds : 0))/s"
  }

  /// The time left when it goes on as it did; nil before the first unit is done.
  private var left: String? {
    guard share > 0 else { return nil }
    return "\(clockText(seconds * (1 - share) / share)) left"
  }

  /// A line for a log: `25% 24/96 regions, 1.2 GiB/s, 00:03:10 left`.
  var line: String {
    (["\(percent) \(count)", rate] + [left].compactMap { $0 }).joined(separator: ", ")
  }

  /// A bar with the same facts that fits into `columns` characters.
  func bar(columns: Int) -> String {
    let facts = ([progress.phase, percent, count, rate] + [left].compactMap { $0 })
      .filter { !$0.isEmpty }.joined(separator: "  ")
    let room = columns - 1 - facts.count - 4
    if room < 8 { return String(facts.prefix(max(0, columns - 1))) }
    let width = min(room, 30)
    let full = Int(share * Double(width))
    return "[\(String(repeating: "=", count: full))"
      + "\(String(repeating: " ", count: width - full))]  \(facts)"
  }
}

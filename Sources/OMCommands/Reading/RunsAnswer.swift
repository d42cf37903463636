import OMJSON
import OMRun
import OMStore

/// What `omtask runs` tells.
struct RunsAnswer: Answer {
  let uri: String
  let runs: [StageSummary]

  /// The most characters of parameters that a person is shown.
  private static let shown = 160

  var lines: [String] {
    let title = runs.isEmpty ? "no unfinished runs" : counted(runs.count, "unfinished run")
    return ["\(uri): \(title)"] + runs.flatMap(lines)
  }

  private func lines(_ run: StageSummary) -> [String] {
    var lines = ["  \(run.runID)  \(run.task ?? "of an unknown task"), \(byteText(run.byteCount))"]
    lines += run.results.map { "    result      \($0)" }
    if run.results.isEmpty { lines.append("    stage       \(run.path)") }
    let parameters = run.givenParameters.map { "\($0.key) \($0.value.excerpt)" }
      .joined(separator: ", ")
    if !parameters.isEmpty {
      let isLong = parameters.count > Self.shown
      lines.append("    parameters  \(parameters.prefix(Self.shown))\(isLong ? "..." : "")")
    }
    return lines + ["    \(stateLine(run))", "    done        \(progressText(run))"]
  }

  private func stateLine(_ run: StageSummary) -> String {
    let resumes = "the same command goes on from there"
    guard let lock = run.lock else {
      let time =
        run.lastNote.map { "at \(utcText($0 / 1_000_000_000))" } ?? "before it noted anything"
      return "stopped     \(time); \(resumes)"
    }
    return lock.isStale ? "left        by \(lock); \(resumes)" : "running     \(lock)"
  }

  private func progressText(_ run: StageSummary) -> String {
    guard let share = run.share else { return counted(run.done, "piece") + " of work" }
    // No percent sign: cluster front ends take the last percentage in a log for a job's progress.
    var text = "\(grouped(run.done)) of \(counted(run.total, "piece")) of work"
    text += ", \(Int(100 * share)) percent"
    if let rate = run.rate { text += ", \(fixed(rate, rate < 10 ? 2 : 0)) per second" }
    if let left = run.secondsLeft { text += ", about \(durationText(left)) left" }
    return text
  }

  var json: JSON { ["uri": .string(uri), "runs": .array(runs.map(document))] }

  private func document(_ run: StageSummary) -> JSON {
    var members: JSONObject = [
      "id": .string(run.runID), "stage": .string(run.path),
      "task": run.task.map(JSON.string) ?? .null, "image": run.image.map(JSON.string) ?? .null,
      "results": .array(run.results.map { .string($0) }),
      "parameters": run.parameters ?? .null,
    ]
    if let lock = run.lock {
      add(lock.isStale ? "left" : "running", lock, to: &members)
    } else {
      members["state"] = "stopped"
    }
    let time = run.lastNote.map { utcText($0 / 1_000_000_000) }
    members["last_write"] = time.map(JSON.string) ?? .null
    members["invocations"] = JSON(run.invocations)
    members["bytes"] = JSON(run.byteCount)
    members["pieces_done"] = JSON(run.done)
    members["pieces"] = run.total > 0 ? JSON(run.total) : .null
    members["percent"] = run.share.map { JSON(100 * $0) } ?? .null
    members["pieces_per_second"] = run.rate.map { JSON($0) } ?? .null
    members["seconds_left"] = run.secondsLeft.map { JSON($0) } ?? .null
    return .object(members)
  }

  private func add(_ state: String, _ lock: LockState, to members: inout JSONObject) {
    members["state"] = .string(state)
    members["last_seen_seconds"] = JSON(max(0, lock.age))
    guard let holder = lock.holder else { return members["holder"] = .null }
    members["holder"] = [
      "host": .string(holder.host), "process": JSON(holder.process),
      "job": holder.job.map { .string($0.id) } ?? .null, "since": .string(utcText(holder.since)),
    ]
  }
}

extension StageSummary {
  /// The parameters that have a value.
  fileprivate var givenParameters: [(key: String, value: JSON)] {
    (parameters?.objectValue?.members ?? []).filter { $0.value != .null }
  }

  /// The share that is done, 0...1; nil when that is not known.
  fileprivate var share: Double? {
    total > 0 ? min(1, Double(done) / Double(total)) : nil
  }

  /// Pieces per second of the last invocation; nil when it noted too little to tell.
  fileprivate var rate: Double? {
    guard let started, let lastNote, doneSinceStart > 0 else { return nil }
    let seconds = Double(lastNote) * 1e-9 - Double(started) * 1e-3
    return seconds >= 1 ? Double(doneSinceStart) / seconds : nil
  }

  /// Seconds that are left at that rate, while somebody works at it.
  fileprivate var secondsLeft: Double? {
    guard let rate, total > 0, lock?.isStale == false else { return nil }
    return Double(max(0, total - done)) / rate
  }
}

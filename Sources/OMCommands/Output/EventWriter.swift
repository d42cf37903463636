import OMJSON
import OMRun
import Synchronization

/// The stream of `--events`: one JSON object per line, as `docs/schemas/event.schema.json` describes it.
final class EventWriter: Sendable {
  private let sink: any ByteSink
  private let task: String
  private let time: @Sendable () -> String
  private let state = Mutex(State())

  private struct State {
    var lastProgress: Double?
    /// The reader has gone or the disk is full: the run goes on without events.
    var isClosed = false
  }

  /// The least number of seconds between two progress events.
  private static let interval = 0.5

  /// Makes a writer.
  ///
  /// - Parameters:
  ///   - sink: Where the lines go.
  ///   - task: The task of the run.
  ///   - time: The time in ISO form.
  init(
    _ sink: any ByteSink, task: String, time: @escaping @Sendable () -> String = WallClock.iso
  ) {
    self.sink = sink
    self.task = task
    self.time = time
  }

  /// Writes the line of an event; progress at most twice per second.
  ///
  /// - Parameters:
  ///   - event: What happened.
  ///   - seconds: Seconds since the start.
  func write(_ event: RunEvent, seconds: Double) {
    state.withLock { state in
      if case .progress = event {
        if let last = state.lastProgress, seconds < last + Self.interval { return }
        state.lastProgress = seconds
      }
      if state.isClosed { return }
      var line: JSONObject = ["time": .string(time())]
      for (key, value) in members(event).members { line[key] = value }
      do {
        try sink.write(JSON.object(line).text() + "\n")
      } catch {
        state.isClosed = true
      }
    }
  }

  private func members(_ event: RunEvent) -> JSONObject {
    switch event {
    case .start(let images, let ranks, let threads):
      return [
        "event": "start", "omtask": .string(programVersion), "task": .string(task),
        "images": JSON(images), "ranks": JSON(ranks), "threads": JSON(threads),
      ]
    case .resume(let image, let done, let total):
      return [
        "event": "resume", "image": .string(image), "done": JSON(done), "total": JSON(total),
      ]
    case .progress(let progress):
      return [
        "event": "progress", "done": JSON(progress.done), "total": JSON(progress.total),
        "unit": .string(progress.unit), "phase": .string(progress.phase),
        "bytes": JSON(progress.bytes),
      ]
    case .output(let output, let image):
      return joined(["event": "output", "image": .string(image)], ReportJSON.output(output))
    case .warning(let text):
      return ["event": "warning", "message": .string(text)]
    case .failure(let image, let fault):
      let place: JSONObject = image.isEmpty ? [:] : ["image": .string(image)]
      return joined(joined(["event": "error"], place), faultMembers(fault))
    case .end(let report):
      return joined(["event": "end"], ReportJSON.totals(report))
    }
  }

  private func joined(_ first: JSONObject, _ second: JSONObject) -> JSONObject {
    JSONObject(members: first.members + second.members)
  }
}

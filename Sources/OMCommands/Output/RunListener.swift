import OMJSON
import OMRun

/// Hears what a run tells and passes it on: progress and warnings to people, events to programs.
final class RunListener: RunObserver {
  private let console: Console
  private let meter: ProgressMeter
  private let events: EventWriter?
  private let start = ContinuousClock.now

  /// Makes a listener; `events` is nil when no program listens.
  init(console: Console, meter: ProgressMeter, events: EventWriter?) {
    self.console = console
    self.meter = meter
    self.events = events
  }

  func handle(_ event: RunEvent) {
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    events?.write(event, seconds: seconds)
    switch event {
    case .progress(let progress): meter.show(progress, seconds: seconds)
    case .warning(let text): console.warning(text)
    case .resume(let image, let done, let total):
      console.note("\(image): going on, \(done) of \(total) steps are done")
    case .end: meter.finish()
    // Failures and results are told at the end, in the order of the images.
    case .start, .output, .failure: break
    }
  }

  /// Tells programs that the run ended without a report; people are told by whoever catches it.
  func stop(with fault: Fault) {
    meter.finish()
    events?.write(.failure(image: "", fault), seconds: 0)
  }
}

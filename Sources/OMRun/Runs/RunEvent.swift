package import OMJSON

/// What a run tells while it goes on; only rank 0 tells.
package enum RunEvent: Sendable {
  /// The run starts on this many ranks and threads per rank.
  case start(images: Int, ranks: Int, threads: Int)
  /// Of the regions of all passes over an image, so many were done by earlier invocations.
  case resume(image: String, done: Int, total: Int)
  /// Work was finished somewhere.
  case progress(RunProgress)
  /// A label image is complete and visible.
  case output(OutputReport, image: String)
  /// Something that a person should look at.
  case warning(String)
  /// One image failed; others go on.
  case failure(image: String, Fault)
  /// The run is over.
  case end(RunReport)
}

/// How far a run is.
package struct RunProgress: Sendable {
  /// Units done.
  package var done: Int
  /// Units in all.
  package var total: Int
  /// What a unit is: `regions` or `images`.
  package var unit: String
  /// The pass that runs, for example `label`.
  package var phase: String
  /// Raw bytes processed so far.
  package var bytes: Int

  /// Makes a progress value.
  package init(done: Int, total: Int, unit: String, phase: String, bytes: Int) {
    self.done = done
    self.total = total
    self.unit = unit
    self.phase = phase
    self.bytes = bytes
  }
}

/// Hears what a run tells; called from any thread, so it must be quick.
package protocol RunObserver: Sendable {
  /// Takes one event.
  func handle(_ event: RunEvent)
}

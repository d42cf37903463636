import OMJSON
import OMManifest
import OMTask

// Tasks whose first program is started once for all images: rank 0 starts it, and what it lists for a
// second program is spread over workers and ranks.

extension Runner {
  /// Does such a task.
  ///
  /// *Collective*.
  func runCall() throws -> RunReport {
    let run = try engine.agree { try CallRun(self) }
    observer?.handle(
      .start(images: run.call.images.count, ranks: engine.rankCount, threads: engine.workerCount))
    for warning in inputs.warnings { observer?.handle(.warning(warning)) }
    var report = try run.report()
    // Without an image nothing is called.
    if !run.isEmpty { report.unit = "call" }
    tell(try unheard.gathered(engine), of: "warnings")
    close(report)
    return report
  }
}

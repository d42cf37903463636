import OMJSON
import OMManifest
import OMTask

/// Finds out what a run would do whose first program is started once for all images.
///
/// *Local*; nothing is written.
struct CallPlan {
  private let request: RunRequest
  private let inputs: Inputs
  private let run: CallRun

  init(_ request: RunRequest, _ inputs: Inputs) throws(Fault) {
    self.request = request
    self.inputs = inputs
    let engine = ThreadEngine(threads: request.options.threads, stop: request.options.stop)
    run = try CallRun(Runner(request, engine, inputs, nil))
  }

  /// The plan: without regions, and without items while there is no list of them.
  func plan(ranks: Int) throws -> RunPlan {
    try Runner(request, ThreadEngine(threads: 1), inputs, nil).checkProgramCall()
    var plan = RunPlan()
    plan.ranks = ranks
    plan.threads = request.options.threads
    plan.warnings = inputs.warnings
    plan.programs = run.programs
    plan.splitsImages = plan.programs.count > 1
    if let sentence = run.workers.sentence { plan.warnings.append(sentence) }
    plan.memory = run.memory
    if let note = try run.note {
      var image = ImagePlan(uri: run.call.folder)
      image.takesParts = false
      image.note = note
      plan.images.append(image)
    }
    for url in run.call.images {
      var image = ImagePlan(uri: url)
      image.takesParts = false
      image.note = "is given to the program, with all others"
      plan.images.append(image)
    }
    for skipped in run.call.skipped {
      var image = ImagePlan(uri: skipped.uri)
      image.takesParts = false
      image.note = "\(skipped.note), nothing to do"
      plan.images.append(image)
    }
    return plan
  }
}

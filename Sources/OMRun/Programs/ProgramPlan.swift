import OMGrid
import OMJSON
import OMManifest
import OMTask

/// Finds out what a run would do whose program reads and writes images by itself.
///
/// *Local*; nothing is written.
///
/// - Parameters:
///   - request: What to do.
///   - ranks: For how many ranks.
/// - Returns: A plan without regions.
/// - Throws: What concerns the whole run; a fault of a single image is a note of its plan.
func makeProgramPlan(_ request: RunRequest, ranks: Int) throws -> RunPlan {
  let inputs = try Inputs(request)
  if request.manifest.isWhole { return try CallPlan(request, inputs).plan(ranks: ranks) }
  let task = try Runner.bound(request)
  let identity = ProgramIdentity(request)
  var plan = RunPlan()
  plan.ranks = ranks
  plan.threads = request.options.threads
  plan.warnings = inputs.warnings
  plan.splitsImages = true
  plan.programs = [ProgramPlan(words: task.words(.each), times: "once for each image")]
  let workers = Runner.programs(task, .each, request)
  if let sentence = workers.sentence { plan.warnings.append(sentence) }
  plan.memory = (task.memory(.each) ?? 0) * workers.count
  var open: [Int] = []
  for (index, item) in inputs.items.enumerated() {
    var image = ImagePlan(uri: item.uri)
    image.takesParts = false
    do {
      let location = try item.found()
      let job = ProgramJob(
        request: request, identity: identity, task: task, location: location, tell: { _ in })
      if let report = try job.finished() {
        image.note = "\(report.note ?? "it is done already"), nothing to do"
      } else {
        open.append(index)
      }
    } catch {
      if inputs.items.count == 1 { throw error }
      image.fail(Fault(wrapping: error))
    }
    plan.images.append(image)
  }
  let owners = Partition(costs: open.map { _ in 1 }, parts: ranks).owners
  for (number, index) in open.enumerated() {
    plan.images[index].note = "is done by the program, on rank \(owners[number])"
  }
  return plan
}

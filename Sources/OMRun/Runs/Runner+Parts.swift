import OMGrid
import OMJSON

// A run that is one of several which share the images without talking to each other.

extension Runner {
  /// Refuses what parts cannot do.
  func checkPart() throws(Fault) {
    if engine.rankCount > 1 {
      throw Fault(
        .usage, "--part",
        "a part is one process, this one was started as \(engine.rankCount) ranks",
        hint: "leave `--part` out under a launcher: ranks share the work by themselves")
    }
    if request.options.fresh {
      throw Fault(
        .usage, "--fresh", "would throw away what other parts have done",
        hint: "`omtask clean` removes what unfinished runs left")
    }
    try checkPlate("--part")
  }

  /// Refuses what is found of all images together.
  func checkPlate(_ subject: String) throws(Fault) {
    if try PlateThresholds.isWanted(self) {
      throw Fault(
        .usage, subject, "with the scope `plate` every image needs the voxels of all others",
        hint: "run the plate as one job, or take another `--scope`")
    }
  }

  /// The run of the images of one part, when there are so many that no image is cut.
  func share(of part: WorkPart) -> Runner {
    var request = request
    request.options.part = nil
    let owners = Partition(costs: inputs.items.map { _ in 1 }, parts: part.count)
    return Runner(request, engine, inputs.only(owners.pieces(of: part.index)), observer)
  }
}

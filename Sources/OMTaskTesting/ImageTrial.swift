import OMImage
import OMJSON
import OMRun
import OMStore

/// One run of a task on a sample, in a folder that is gone afterwards.
struct ImageTrial {
  /// The task with its parameters; where its input lies is left out.
  let request: RunRequest
  /// Where temporary files go.
  let folder: String

  /// Runs the task.
  ///
  /// - Parameters:
  ///   - sample: What it runs on.
  ///   - layout: How that is stored and cut.
  /// - Returns: What it made.
  /// - Throws: The fault of the task or of the disk.
  func run(on sample: SampleImage, _ layout: TrialLayout) throws -> TrialResult {
    let outer = try OutputFolder(path: folder)
    defer { try? outer.removeTree("round") }
    _ = try outer.makeFolder("round")
    let path = "\(folder)/round/sample.zarr"
    try SampleWriter(layout).write(sample, to: path)
    var request = request
    request.inputs = [path]
    request.options.growth = layout.growth
    request.options.threads = layout.threads
    request.options.durability = .none
    let report = try execute(
      request, communicator: SoloCommunicator(), observer: SilentObserver())
    guard let image = report.images.first else {
      throw Fault(.internal, "", "a trial made no image")
    }
    if let fault = image.fault { throw naming(fault, path) }
    if let mismatch = image.mismatches.first {
      throw Fault(
        .task, "", "the task makes something else than it declares: \(mismatch)",
        hint: "correct `outputs` in the manifest, or what the task makes")
    }
    if image.outputs.isEmpty {
      throw Fault(.usage, "", image.note ?? "the task makes nothing of this image")
    }
    return try TrialResult(
      image.outputs, of: ImageLocation(store: try FileStore(root: path), path: ""))
  }

  /// A fault without the place of temporary files, which nobody knows and which are gone soon.
  private func naming(_ fault: Fault, _ path: String) -> Fault {
    var fault = fault
    fault.facts.removeAll { $0.hasPrefix("its log is \(folder)/") }
    if fault.subject.hasPrefix(path) {
      fault.subject = "the sample" + fault.subject.dropFirst(path.count)
    }
    return fault
  }
}

private struct SilentObserver: RunObserver {
  func handle(_ event: RunEvent) {}
}

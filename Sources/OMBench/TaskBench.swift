import Glibc
import OMGrid
import OMImage
import OMJSON
import OMManifest
package import OMRun
import OMStore
import OMTask
import OMTaskTesting
import OMZarr

/// Measures what a task costs by running it on a sample, again and again, in a folder that is empty
/// afterwards.
package struct TaskBench {
  /// The task with its parameters.
  package var request: RunRequest
  /// Where files go.
  package let folder: String
  /// Threads that run at once on this machine.
  package let cores: Int
  /// Seconds after which nothing is repeated any more.
  package let patience: Double

  /// How many copies of the tiny sample are one run, to tell images from runs.
  private static let copies = 8
  private static let mostRepeats = 7

  /// Makes a measurement.
  package init(request: RunRequest, folder: String, cores: Int, patience: Double) {
    self.request = request
    // The sample is all there is, and what is made of it lies beside it.
    self.request.options.select = [:]
    self.request.options.roiTable = nil
    self.request.options.output = nil
    self.request.options.collection = nil
    self.folder = folder
    self.cores = cores
    self.patience = patience
  }

  /// What one run took.
  private struct Taken {
    var seconds: Double
    var stages: [StageTime]
    var written: Int

    /// Seconds outside of regions.
    var outside: Double { max(0, seconds - stages.reduce(0) { $0 + $1.wall }) }
  }

  /// Measures the task.
  ///
  /// - Parameter sample: What it runs on.
  /// - Returns: What it costs.
  /// - Throws: The fault of the task, of the disk, or of a stop.
  package func costs(of sample: TaskSample) throws -> TaskCosts {
    let outer = try OutputFolder(path: folder)
    let tiny = try sample.tiny()
    defer { for known in [sample, tiny] { try? outer.removeTree("\(known.name).zarr") } }
    let start = clockSeconds()
    var runs: [Taken] = []
    while runs.count < 3 || (runs.count < Self.mostRepeats && clockSeconds() - start < patience) {
      runs.append(try run(sample, copies: 1, threads: 1))
      // What takes very long is done once.
      if clockSeconds() - start > 4 * patience { break }
    }
    let single = try typical(tiny, copies: 1)
    let durable = try typical(tiny, copies: 1, durable: true)
    let many = try typical(tiny, copies: Self.copies)
    let (sync, crowdedSync) = try (waiting(sample, threads: 1), waiting(sample, threads: cores))
    // One more image costs its regions and what is sought.
    let another = (many.seconds - single.seconds) / Double(Self.copies - 1)
    let image = min(single.outside, max(0, another - (single.seconds - single.outside)))
    let (plan, voxels) = try plan(of: sample)
    let outside = median(runs.map(\.outside))
    var passes: [PassCosts] = []
    for stage in runs[0].stages {
      let all = runs.compactMap { $0.stages.first { $0.name == stage.name } }
      passes.append(
        PassCosts(
          name: stage.name, cpu: median(all.map(\.cpu)) / voxels,
          wait: median(all.map { max(0, $0.wall - $0.cpu) }) / voxels))
    }
    return TaskCosts(
      task: request.manifest.identifier, parameters: request.parameters.values,
      dataType: plan.source.metadata.dataType.rawValue,
      codec: codecName(plan.source.metadata.compression), voxels: Int(voxels),
      decodings: max(0.01, plan.decodings(memory: request.options.memory)),
      run: max(0, single.outside - image), image: image,
      commit: max(0, durable.outside - single.outside), sync: sync, crowdedSync: crowdedSync,
      between: max(0, outside - single.outside) / voxels,
      contention: try contention(sample, runs),
      written: Double(runs[0].written) / voxels, passes: passes)
  }

  /// Seconds for which each thread waits until a write unit is on the disk.
  private func waiting(_ sample: TaskSample, threads: Int) throws -> Double {
    median(
      try (0..<3).map { _ in
        let taken = try run(sample, copies: 1, threads: threads, durable: true)
        guard let stage = taken.stages.first(where: { $0.name == SimulatedStage.sync }) else {
          return 0
        }
        return stage.wall / Double(max(1, stage.pieces))
      })
  }

  /// By which factor regions take longer when all cores are busy.
  private func contention(_ sample: TaskSample, _ alone: [Taken]) throws -> Double {
    if cores < 2 { return 1 }
    var factors: [Double] = []
    let before = median(alone.map { $0.stages.reduce(0) { $0 + $1.cpu } })
    for _ in 0..<min(3, alone.count) {
      let crowd = try run(sample, copies: 1, threads: cores)
      if before > 0 { factors.append(crowd.stages.reduce(0) { $0 + $1.cpu } / before) }
    }
    return min(max(1, median(factors)), Double(cores))
  }

  /// Seconds of runs that have hardly any voxels: the medians of some.
  private func typical(
    _ sample: TaskSample, copies: Int, durable: Bool = false
  ) throws -> (seconds: Double, outside: Double) {
    let runs = try (0..<5).map { _ in
      try run(sample, copies: copies, threads: 1, durable: durable)
    }
    return (median(runs.map(\.seconds)), median(runs.map(\.outside)))
  }

  private func plan(of sample: TaskSample) throws -> (any ArrayPlan, Double) {
    try inFolder(sample, copies: 1) { inputs in
      var request = request
      request.options.growth = sample.layout.growth
      let image = try ImageSource.open(inputs[0], filter: WellFilter())
      guard let location = image.items.first?.location,
        let plan = try ImageSetup(location, request).plans.first
      else { throw Fault(.usage, "", "the task makes nothing of this image") }
      let plans = try ImageSetup(location, request).plans
      return (plan, Double(max(1, plans.reduce(0) { $0 + $1.processedVoxels })))
    }
  }

  private func run(
    _ sample: TaskSample, copies: Int, threads: Int, durable: Bool = false
  ) throws -> Taken {
    try inFolder(sample, copies: copies) { inputs in
      var request = request
      request.inputs = inputs
      request.options.growth = sample.layout.growth
      request.options.threads = threads
      request.options.durability = durable ? .commit : .none
      request.options.stop.work.takeTimes()
      let report = try execute(
        request, communicator: SoloCommunicator(), observer: SilentObserver())
      if let fault = report.images.lazy.compactMap(\.fault).first { throw fault }
      return Taken(
        seconds: report.seconds, stages: request.options.stop.work.times,
        written: report.bytesWritten)
    }
  }

  /// Does something with copies of a sample, which are removed afterwards.
  private func inFolder<Value>(
    _ sample: TaskSample, copies: Int, _ body: ([String]) throws -> Value
  ) throws -> Value {
    let outer = try OutputFolder(path: folder)
    let original = "\(folder)/\(sample.name).zarr"
    if try outer.kind(of: "\(sample.name).zarr") == nil { try sample.write(to: original) }
    defer { try? outer.removeTree("bench") }
    _ = try outer.makeFolder("bench")
    let inputs = (0..<copies).map { "\(folder)/bench/sample\($0).zarr" }
    // Runs replace files and change none, so copies may share them.
    for input in inputs { try linkTree(original, to: input) }
    return try body(inputs)
  }
}

/// Makes a copy of a folder whose files are those of the original.
private func linkTree(_ original: String, to copy: String) throws(Fault) {
  guard mkdir(copy, 0o777) == 0, let listing = opendir(original) else {
    throw Fault(.io, copy, "cannot be made (error \(errno))")
  }
  defer { closedir(listing) }
  while let entry = readdir(listing) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name == "." || name == ".." { continue }
    let (from, to) = ("\(original)/\(name)", "\(copy)/\(name)")
    if entry.pointee.d_type == UInt8(DT_DIR) {
      try linkTree(from, to: to)
    } else if link(from, to) != 0 {
      throw Fault(.io, to, "cannot be linked to its original (error \(errno))")
    }
  }
}

private struct SilentObserver: RunObserver {
  func handle(_ event: RunEvent) {}
}

import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask
import OMZarr
import Synchronization

/// Runs a task on images.
///
/// *Collective*: every rank calls it with the same request.
///
/// - Parameters:
///   - request: What to do.
///   - communicator: The ranks.
///   - observer: Hears of the run; only called on rank 0.
/// - Returns: What became of every image, the same on every rank.
/// - Throws: What concerns the whole run; a fault of a single image is in the report, unless
///   `failFast` is set.
package func execute(
  _ request: RunRequest, communicator: any Communicator, observer: any RunObserver
) throws -> RunReport {
  let clock = ContinuousClock()
  let start = clock.now
  let request = try evened(request, communicator)
  let engine = ThreadEngine(
    threads: request.options.threads, communicator: communicator, stop: request.options.stop)
  let inputs = try Inputs.shared(request, engine)
  let runner = Runner(request, engine, inputs, communicator.rank == 0 ? observer : nil)
  var report = try runner.run()
  let elapsed = clock.now - start
  report.seconds =
    Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  if communicator.rank == 0 { observer.handle(.end(report)) }
  return report
}

/// The request with the memory of the rank whose workers have least: how an image is done must be
/// the same on every rank.
///
/// *Collective*.
private func evened(
  _ request: RunRequest, _ communicator: any Communicator
) throws(Fault) -> RunRequest {
  let threads = max(1, request.options.threads)
  var least = request.options.memory / threads
  var packet = Packet()
  packet.write(least)
  for bytes in try communicator.gatherAll(packet.bytes) {
    var reader = PacketReader(bytes)
    least = min(least, try reader.read(Int.self))
  }
  var request = request
  request.options.memory = least * threads
  return request
}

/// How the images of a run are spread over workers and ranks.
struct Runner: Sendable {
  let request: RunRequest
  let engine: ThreadEngine
  let inputs: Inputs
  let observer: (any RunObserver)?
  private let watch = LabelsWatch()
  let unheard = UnheardWarnings()

  init(
    _ request: RunRequest, _ engine: ThreadEngine, _ inputs: Inputs,
    _ observer: (any RunObserver)?
  ) {
    self.request = request
    self.engine = engine
    self.inputs = inputs
    self.observer = observer
  }

  /// The workers of all ranks; ranks on different machines may have different numbers of them.
  ///
  /// *Collective*.
  static func workerCount(_ engine: any Engine) throws(Fault) -> Int {
    var packet = Packet()
    packet.write(engine.workerCount)
    var sum = 0
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      sum += try reader.read(Int.self)
    }
    return sum
  }

  func run() throws -> RunReport {
    let collection = try checkCollection()
    if runsProgram { return try runProgram() }
    try checkOutput()
    if let part = request.options.part {
      try checkPart()
      if try !ImageSpread.splits(inputs, request, workers: part.count, engine) {
        return try share(of: part).run()
      }
    }
    if request.options.needsParts { try checkPlate("finalize") }
    observer?.handle(
      .start(
        images: inputs.items.count, ranks: engine.rankCount, threads: engine.workerCount))
    for warning in inputs.warnings { observer?.handle(.warning(warning)) }
    let splits =
      try request.options.part != nil
      || ImageSpread.splits(
        inputs, request, workers: Runner.workerCount(engine), engine)
    let table = RunTable(inputs.items)
    let thresholds = try PlateThresholds.find(self, table, splits: splits)
    do {
      if splits {
        try runSplit(table, thresholds)
      } else {
        try runWhole(table, thresholds)
      }
    } catch {
      // What was made before stays listed, but nobody waits for other programs.
      for warning in watch.settle(unless: { true }) { warn(warning) }
      throw error
    }
    for warning in watch.settle(unless: { request.options.stop.isOn }) { warn(warning) }
    let report = try table.report(engine)
    tell(try unheard.gathered(engine), of: "warnings")
    close(report)
    try list(report, in: collection)
    return report
  }

  /// Refuses an output that would take what is made of several images, but for a new plate.
  private func checkOutput() throws(Fault) {
    let count = inputs.items.count
    guard let output = request.options.output else {
      // Before thresholds of a whole plate are found: none of the images can take a result.
      let places = inputs.items.compactMap(\.location)
      guard let first = places.first, places.allSatisfy({ $0.store.folder == nil }) else { return }
      return try OutputRules.checkWritable(first, inPlace: false)
    }
    if count <= 1 { return }
    try OutputRules.checkNewPlate(output)
    if try SeparatePath(output).isArchive {
      throw Fault(
        .usage, "--output", "an archive takes what is made of one image, there are \(count)",
        hint: "write the new plate into a folder, then `omtask pack` it")
    }
    let makesImages = request.manifest.traits.outputs.allSatisfy { $0.kind == "image" }
    // Images of several plates may have the same place in theirs.
    let plates = Set(inputs.items.compactMap(\.location).map(\.plateName))
    if makesImages && plates.count <= 1 && !plates.contains(nil) { return }
    throw Fault(
      .usage, "--output",
      makesImages
        ? "`--output` takes what is made of one image or plate, there are \(count) images"
        : "`--output` takes the result of one image, there are \(count)",
      hint: "run image by image, or leave `--output` out")
  }

  /// One image after the other, each on all ranks.
  private func runSplit(_ table: RunTable, _ thresholds: PlateThresholds) throws {
    let progress = ProgressCounter(
      observer, unit: "regions", images: inputs.items.count, log: request.options.stop.work)
    let holder = try LockHolder.thisProcess().joined(engine)
    for (index, item) in inputs.items.enumerated() {
      guard let location = item.location, !table.hasFailed(index) else {
        try fail(table, index, table.fault(index))
        continue
      }
      let job = ImageJob(
        request: request, location: location, engine: engine, progress: progress,
        number: index, holder: holder, tell: tell, watch: watch)
      do {
        let result = try job.run(preset: thresholds.choices)
        table.finish(index, result, counting: engine.rank == 0)
        tell(result.report)
      } catch {
        try fail(table, index, Fault(wrapping: error))
      }
      table.add(engine.closeReaders())
    }
  }

  /// Whole images on single workers; each rank has a share of the images.
  private func runWhole(_ table: RunTable, _ thresholds: PlateThresholds) throws {
    let own = ownImages
    let progress = ProgressCounter(
      observer, unit: "images", log: request.options.stop.work)
    progress.begin(image: 0, units: inputs.items.count)
    progress.begin(.labels)
    let quiet = ProgressCounter(nil, unit: "regions")
    let holder = LockHolder.thisProcess()
    // A fault that stops the run stops it on every rank.
    try engine.agree {
      let name: @Sendable (Int) -> String = { inputs.items[own[$0]].uri }
      try engine.walk(own.count, name: name) { number, worker in
        let index = own[number]
        defer { progress.add(bytes: 0) }
        guard let location = inputs.items[index].location, !table.hasFailed(index) else {
          return try fail(table, index, table.fault(index))
        }
        let serial = SerialEngine(worker, stop: request.options.stop)
        let job = ImageJob(
          request: request, location: location, engine: serial, progress: quiet,
          number: 0, holder: holder, tell: tell, watch: watch)
        do {
          let result = try job.run(preset: thresholds.choices)
          table.finish(index, result, counting: true)
          tell(result.report)
        } catch {
          try fail(table, index, Fault(wrapping: error))
        }
        table.add(serial.closeReaders())
      }
    }
  }

  /// The images of this rank when whole images are spread.
  var ownImages: [Int] {
    Partition(costs: inputs.items.map { _ in 1 }, parts: engine.rankCount).pieces(of: engine.rank)
  }

  func fail(
    _ table: RunTable, _ index: Int, _ fault: Fault, uri: String? = nil
  ) throws(Fault) {
    if fault.endsRun { throw fault }
    let fault = hinting(fault)
    let uri = uri ?? inputs.items[index].uri
    let report = ImageReport(uri: uri, status: .failed, fault: fault)
    table.finish(index, ImageJob.JobResult(report: report), counting: true)
    observer?.handle(.failure(image: uri, fault))
    if request.options.failFast { throw fault }
  }

  func warn(_ text: String) { tell(.warning(text)) }

  func tell(_ event: RunEvent) {
    if let observer { return observer.handle(event) }
    if case .warning(let text) = event { unheard.add(text) }
  }

  func tell(_ report: ImageReport) {
    for output in report.outputs where report.status == .done {
      observer?.handle(.output(output, image: report.uri))
    }
  }
}

extension LockHolder {
  /// This process and those of all other ranks, for the lock of a run that they do together.
  ///
  /// *Collective*.
  fileprivate func joined(_ engine: any Engine) throws(Fault) -> LockHolder {
    if engine.rankCount == 1 { return self }
    var others: [LockHolder] = []
    for bytes in try engine.communicator.gatherAll(json.bytes()) {
      if let other = LockHolder(try JSON(parsing: bytes, subject: "a rank")) {
        others.append(other)
      }
    }
    return joined(with: others)
  }
}

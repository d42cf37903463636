import OMGrid
import OMJSON
import OMManifest
import OMTask
import Synchronization

// Programs that read and write images by themselves: whole images are spread over workers and ranks.

extension Runner {
  /// Whether the task is such a program.
  var runsProgram: Bool { request.manifest.traits.contract == .image }

  /// Lets the program do all images that are not done.
  ///
  /// *Collective*.
  func runProgram() throws -> RunReport {
    try checkProgramCall()
    if request.manifest.isWhole { return try runCall() }
    if let part = request.options.part {
      try checkPart()
      return try share(of: part).runProgram()
    }
    let task = try engine.agree { try Self.bound(request) }
    observer?.handle(
      .start(images: inputs.items.count, ranks: engine.rankCount, threads: engine.workerCount))
    for warning in inputs.warnings { observer?.handle(.warning(warning)) }
    let workers = Self.programs(task, .each, request)
    if let sentence = workers.sentence, engine.rank == 0 { warn(sentence) }
    let table = RunTable(inputs.items)
    let progress = ProgressCounter(observer, unit: "images", log: request.options.stop.work)
    progress.begin(image: 0, units: inputs.items.count)
    progress.begin(.program)
    let identity = ProgramIdentity(request)
    let job = { @Sendable (index: Int) -> ProgramJob? in
      inputs.items[index].location.map {
        ProgramJob(request: request, identity: identity, task: task, location: $0, tell: tell)
      }
    }
    let open = try unfinished(table, progress) { try job($0)?.finished() }
    // What is left is shared out anew: all that is done may have been one rank's.
    let own = Partition(costs: open.map { _ in 1 }, parts: engine.rankCount)
      .pieces(of: engine.rank).map { open[$0] }
    try walk(own, most: workers.count, table, progress) { index, worker in
      if request.options.needsParts { throw Fault.noParts(inputs.items[index].uri) }
      return try job(index)?.run(worker)
    }
    let report = try table.report(engine)
    tell(try unheard.gathered(engine), of: "warnings")
    close(report)
    return report
  }

  /// The task of a request, with its program.
  static func bound(_ request: RunRequest) throws(Fault) -> any WholeImageTask {
    let surroundings = request.options.surroundings
    guard
      let task = try request.entry.program.bindToImages(request.parameters, surroundings)
    else {
      throw Fault(.internal, "", "\(request.manifest.identifier) has no program for images")
    }
    return task
  }

  /// How many programs one process may run at once, and a word where that is fewer than workers.
  static func programs(
    _ task: any WholeImageTask, _ part: TaskPart, _ request: RunRequest
  ) -> (count: Int, sentence: String?) {
    let workers = max(1, request.options.threads)
    guard let memory = task.memory(part), memory > 0 else { return (workers, nil) }
    let count = max(1, min(workers, request.options.memory / memory))
    if count == workers { return (workers, nil) }
    return (
      count,
      "\(count) of \(workers) workers are used: one process of \(request.manifest.identifier) may "
        + "need \(memory / 1_000_000) MB (`mem` in its manifest), there are "
        + "\(request.options.memory / 1_000_000) MB (`--memory`)"
    )
  }

  /// Refuses what only works where omtask reads and writes the voxels.
  func checkProgramCall() throws(Fault) {
    let options = request.options
    let given: [(String, Bool)] = [
      ("--select", !options.select.isEmpty), ("--roi-table", options.roiTable != nil),
      ("--output", options.output != nil && !request.manifest.isWhole),
      ("--plain-names", options.plainNames), ("--on-damage fill", options.onDamage == .fill),
    ]
    if (options.part != nil || options.needsParts) && request.manifest.isWhole {
      throw Fault(
        .usage, options.needsParts ? "finalize" : "--part",
        "\(request.manifest.identifier) is one piece of work: its first program is started once, and "
          + "parts do not hear of each other",
        hint: "ranks share the work by themselves: `mpirun -n 4 omtask run ...`")
    }
    guard let flag = given.first(where: \.1)?.0 else { return }
    throw Fault(
      .usage, flag, "\(request.manifest.identifier) reads and writes images by itself",
      hint: "its own parameters may do that: `omtask tasks show` lists them")
  }

  /// Looks which pieces of work are to be done, and notes the others as they are.
  ///
  /// *Collective*.
  ///
  /// - Returns: The numbers of those that are to be done, the same on every rank.
  private func unfinished(
    _ table: RunTable, _ progress: ProgressCounter,
    _ finished: @Sendable (Int) throws -> ImageReport?
  ) throws -> [Int] {
    let open = Mutex<[Int]>([])
    try walk(ownImages, most: engine.workerCount, table, progress) { index, _ in
      if let report = try finished(index) { return report }
      open.withLock { $0.append(index) }
      return nil
    }
    return try gathered(open.withLock { $0 })
  }

  /// The numbers of all ranks, sorted.
  ///
  /// *Collective*.
  func gathered(_ numbers: [Int]) throws -> [Int] {
    var packet = Packet()
    packet.write(numbers)
    var all: [Int] = []
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      all += try reader.readArray(Int.self)
    }
    return all.sorted()
  }

  /// Does something with each of some images; nil as its report leaves the image for later.
  ///
  /// *Collective*.
  private func walk(
    _ images: [Int], most: Int, _ table: RunTable, _ progress: ProgressCounter,
    _ body: @Sendable (Int, Worker) throws -> ImageReport?
  ) throws {
    try walk(images, of: inputs.items.map(\.uri), most: most, table, progress) { index, worker in
      if inputs.items[index].location == nil { throw table.fault(index) }
      return try body(index, worker)
    }
  }

  /// Does something with each of some pieces of work; nil as its report leaves it for later.
  ///
  /// *Collective*.
  func walk(
    _ pieces: [Int], of names: [String], most: Int, _ table: RunTable, _ progress: ProgressCounter,
    _ body: @Sendable (Int, Worker) throws -> ImageReport?
  ) throws {
    try engine.agree {
      let name: @Sendable (Int) -> String = { names[pieces[$0]] }
      try engine.walk(pieces.count, most: most, name: name) { number, worker in
        let index = pieces[number]
        do {
          guard let report = try body(index, worker) else { return }
          table.finish(index, ImageJob.JobResult(report: report), counting: true)
          tell(report)
        } catch {
          try fail(table, index, Fault(wrapping: error), uri: names[index])
        }
        progress.add(bytes: 0)
      }
    }
  }
}

import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask
import Synchronization

// The programs: the first one on rank 0, then one for each item of its list.

extension CallRun {
  /// Starts the first program on rank 0, and tells all ranks what came of it.
  ///
  /// *Collective*.
  func start(_ stage: ProgramStage?) throws -> Result<CallRecord, Fault> {
    let now = try states(of: call.images)
    let ending = Mutex<Result<CallRecord, Fault>?>(nil)
    try engine.agree {
      try engine.walk(engine.rank == 0 ? 1 : 0, name: { _ in call.folder }) { _, worker in
        guard let stage else { return }
        do throws(Fault) {
          let record = try job.run(worker, stage, now)
          // Without a second program it is done only when it is known how all images are.
          if type.hasList { try job.write(record, stage) }
          ending.withLock { $0 = .success(record) }
        } catch {
          if error.endsRun { throw error }
          ending.withLock { $0 = .failure(error) }
        }
      }
    }
    var bytes: [UInt8] = []
    switch ending.withLock({ $0 }) {
    case .success(let record)?: bytes = [1] + record.bytes([:])
    case .failure(let fault)?: bytes = [0] + fault.encoded().bytes()
    case nil: break
    }
    bytes = try engine.communicator.broadcast(bytes)
    if bytes.first == 1, let record = CallRecord(Array(bytes.dropFirst())) {
      return .success(record)
    }
    let fault = try JSON(parsing: Array(bytes.dropFirst()), subject: "the first program")
    return .failure(try Fault(decoding: fault))
  }

  func item(_ item: WorkItem, _ home: OutputFolder) -> ItemJob {
    ItemJob(
      request: request, identity: identity, task: task, call: call, rules: rules, item: item,
      home: home)
  }

  /// Does the items that are left.
  ///
  /// *Collective*.
  func walk(
    _ record: CallRecord, _ left: Set<Int>, _ past: Past?, _ table: RunTable
  ) throws {
    let names = [call.folder] + record.items.map(\.url)
    if engine.rank == 0 {
      for (index, report) in past?.items ?? [:] where !left.contains(index) {
        add(named(report, record, index), index + 1, table)
      }
    }
    if left.isEmpty { return }
    let workers = Runner.programs(task, .each, request)
    if let sentence = workers.sentence, engine.rank == 0 { runner.warn(sentence) }
    let progress = ProgressCounter(
      runner.observer, unit: "items", log: request.options.stop.work)
    progress.begin(image: 0, units: record.items.count)
    progress.begin(.program)
    if engine.rank == 0 { progress.skip(record.items.count - left.count) }
    let home = try engine.agree {
      try OutputFolder(path: joinedKey(call.folder, CallJob.folder))
    }
    let open = left.sorted()
    let own = share(of: open.count).map { open[$0] + 1 }
    try runner.walk(own, of: names, most: workers.count, table, progress) { index, worker in
      let job = item(record.items[index - 1], home)
      try job.forget()
      return try job.run(worker)
    }
  }
}

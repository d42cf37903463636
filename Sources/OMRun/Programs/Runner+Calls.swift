import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask
import Synchronization

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

/// One run of such a task.
struct CallRun: Sendable {
  private let runner: Runner
  private let task: any WholeImageTask
  private let type: TaskType
  let call: ProgramCall
  private let identity: ProgramIdentity
  private let rules: AnswerRules
  private let job: CallJob

  private var engine: ThreadEngine { runner.engine }
  private var request: RunRequest { runner.request }

  /// What a run finds that was done before.
  private struct Past {
    let record: CallRecord
    /// The reports of the items that are done.
    let items: [Int: ImageReport]
    /// How these items left their images.
    let ends: [Int: CallRecord.ItemEnd]
    let standing: CallRecord.Standing
    let now: [String: ImageState]
  }

  /// Finds out what is to be done; nothing is written or started.
  init(_ runner: Runner) throws(Fault) {
    self.runner = runner
    let request = runner.request
    task = try Runner.bound(request)
    guard let type = request.manifest.taskType else {
      throw Fault(.internal, "", "a task of no type is started")
    }
    self.type = type
    call = try ProgramCall(request, runner.inputs)
    identity = ProgramIdentity(request, reserved: call.reserved)
    rules = AnswerRules(images: Set(call.images), folder: call.folder)
    job = CallJob(
      request: request, identity: identity, task: task, type: type, call: call, rules: rules)
  }

  /// Whether there is nothing to call a program for.
  var isEmpty: Bool { type.takesImages && call.images.isEmpty }

  /// Does what is left to do.
  ///
  /// *Collective*.
  func report() throws -> RunReport {
    if isEmpty { return try table([]).report(engine) }
    if !request.options.fresh, let past = try past(), past.standing == .done {
      return try finished(past)
    }
    let warn: @Sendable (String) -> Void = { [runner] in runner.warn($0) }
    let stage = try engine.agree { engine.rank == 0 ? try job.open(warn) : nil }
    let ending = request.options.stop.atForcedEnd { stage?.leave() }
    defer { request.options.stop.forget(ending) }
    do {
      return try report(stage)
    } catch {
      stage?.leave()
      throw error
    }
  }

  private func report(_ stage: ProgramStage?) throws -> RunReport {
    // Another process may have been at work before the locks were free.
    var past = request.options.fresh ? nil : try past()
    if let past, past.standing == .done {
      try engine.agree { try stage?.remove() }
      return try finished(past)
    }
    if let known = past, case .changed = known.standing {
      if let url = known.record.changedTwice(known.now, ends: known.ends) {
        throw Fault.changedTwice(url, by: request.manifest.identifier)
      }
      past = nil
    }
    var first = ImageReport(uri: call.folder, status: .skipped)
    let record: CallRecord
    if let past {
      record = past.record
      first = job.report(.skipped, record)
    } else {
      switch try start(stage) {
      case .success(let made): record = made
      case .failure(let fault):
        let table = table([])
        try runner.fail(table, 0, fault, uri: call.folder)
        stage?.leave()
        return try table.report(engine)
      }
    }
    let table = table(record.items)
    var left: Set<Int> = []
    if case .items(let open)? = past?.standing { left = open }
    if past == nil { left = Set(record.items.indices) }
    try walk(record, left, past, table)
    return try close(record, first, table, stage, isNew: past == nil)
  }

  // MARK: - What was done before

  /// What an earlier invocation left; nil when there is no record of it.
  ///
  /// *Collective*.
  private func past() throws -> Past? {
    let bytes = try engine.communicator.broadcast(engine.rank == 0 ? job.recorded() : [])
    guard let record = CallRecord(bytes) else { return nil }
    let (items, ends, begun) = try finishedItems(record)
    let answers = items.compactMapValues(\.answer)
    let now = try states(of: record.images(Array(answers.values)))
    let gone = engine.rank == 0 ? record.places.first { ProgramCall.existing(on: $0) != $0 } : nil
    let told = try engine.communicator.broadcast(Array((gone ?? "").utf8))
    let isGone = told.isEmpty ? nil : String(decoding: told, as: UTF8.self)
    let standing = record.standing(
      now, isGone: isGone, answers: answers, ends: ends, begun: begun)
    return Past(record: record, items: items, ends: ends, standing: standing, now: now)
  }

  /// The items that have records, how they left their images, and those that were only begun.
  ///
  /// *Collective*.
  private func finishedItems(
    _ record: CallRecord
  ) throws -> (
    reports: [Int: ImageReport], ends: [Int: CallRecord.ItemEnd], begun: Set<Int>
  ) {
    let found = Mutex<[JSON]>([])
    let own = share(of: record.items.count)
    try engine.agree {
      guard let home = try? OutputFolder(path: joinedKey(call.folder, CallJob.folder)) else {
        return
      }
      try engine.walk(own.count, name: { record.items[own[$0]].url }) { number, _ in
        let index = own[number]
        let job = item(record.items[index], home)
        guard let (report, kept) = job.finished() else {
          if job.isBegun { found.withLock { $0.append(["index": JSON(index)]) } }
          return
        }
        let line: JSON = [
          "index": JSON(index), "report": report.encoded(), "state": kept.state.json,
          "made": .array(kept.made.map(JSON.string)),
        ]
        found.withLock { $0.append(line) }
      }
    }
    var reports: [Int: ImageReport] = [:]
    var ends: [Int: CallRecord.ItemEnd] = [:]
    var begun: Set<Int> = []
    for line in try gatherLines(found.withLock { $0 }) {
      guard let index = line["index"]?.intValue else { continue }
      guard let report = line["report"] else {
        begun.insert(index)
        continue
      }
      reports[index] = try ImageReport(decoding: report, uri: "")
      if let state = ImageState(line["state"]) {
        let made = line["made"]?.arrayValue?.compactMap(\.stringValue) ?? []
        ends[index] = CallRecord.ItemEnd(state: state, made: made)
      }
    }
    return (reports, ends, begun)
  }

  /// How images are; those that are not there are left out.
  ///
  /// *Collective*: every rank looks at its share.
  private func states(of urls: [String]) throws -> [String: ImageState] {
    let own = share(of: urls.count)
    let found = Mutex<[String: ImageState]>([:])
    try engine.agree {
      try engine.walk(own.count, name: { urls[own[$0]] }) { number, worker in
        let url = urls[own[number]]
        worker.scratch.sign()
        if let state = try ImageState(at: url) { found.withLock { $0[url] = state } }
      }
    }
    var states: [String: ImageState] = [:]
    for line in try gatherLines(CallRecord.lines("state", found.withLock { $0 })) {
      if let url = line["state"]?.stringValue { states[url] = ImageState(line["parts"]) }
    }
    return states
  }

  /// The values of all ranks.
  ///
  /// *Collective*.
  private func gatherLines(_ own: [JSON]) throws -> [JSON] {
    let newline = UInt8(ascii: "\n")
    let bytes = own.flatMap { $0.bytes() + [newline] }
    return try engine.communicator.gatherAll(bytes).flatMap { bytes in
      try bytes.split(separator: newline).map { try JSON(parsing: Array($0), subject: "a rank") }
    }
  }

  private func share(of count: Int) -> [Int] {
    Partition(costs: Array(repeating: 1, count: count), parts: engine.rankCount)
      .pieces(of: engine.rank)
  }

  /// The report of a run that finds nothing to do.
  private func finished(_ past: Past) throws -> RunReport {
    let table = table(past.record.items)
    if engine.rank == 0 {
      add(job.report(.skipped, past.record), 0, table)
      for (index, report) in past.items { add(named(report, past.record, index), index + 1, table) }
    }
    var report = try table.report(engine)
    report.answer = merged(report).answer
    return report
  }

  // MARK: - What would be done

  /// The programs in their order.
  var programs: [ProgramPlan] {
    type.parts.map { part in
      let times =
        part == .whole
        ? (type.takesImages ? "once, for all images" : "once")
        : "once for each item of the list that it makes"
      return ProgramPlan(words: task.words(part), times: times)
    }
  }

  /// How many programs one process may run at once, and a word where that is fewer than workers.
  var workers: (count: Int, sentence: String?) {
    type.hasList ? Runner.programs(task, .each, request) : (1, nil)
  }

  /// The memory that the programs of one process may need.
  var memory: Int {
    max(task.memory(.whole) ?? 0, (task.memory(.each) ?? 0) * workers.count)
  }

  /// What would become of the run; nil when it is given no image.
  ///
  /// *Collective*.
  var note: String? {
    get throws {
      if isEmpty { return nil }
      let place = "new images go here (`zarr_dir`)"
      guard !request.options.fresh, let past = try past() else {
        return type.hasList ? "\(place); the list of items is yet to be made" : place
      }
      switch past.standing {
      case .done: return "\(place); it is done already, nothing to do"
      case .items(let left):
        return "\(place); \(left.count) of \(past.record.items.count) items are left to do"
      case .changed(let what): return "\(place); all is done again, since \(what) has changed"
      }
    }
  }

  // MARK: - The first program

  /// Starts the first program on rank 0, and tells all ranks what came of it.
  ///
  /// *Collective*.
  private func start(_ stage: ProgramStage?) throws -> Result<CallRecord, Fault> {
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

  // MARK: - The items

  private func item(_ item: WorkItem, _ home: OutputFolder) -> ItemJob {
    ItemJob(
      request: request, identity: identity, task: task, call: call, rules: rules, item: item,
      home: home)
  }

  /// Does the items that are left.
  ///
  /// *Collective*.
  private func walk(
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

  // MARK: - The end

  /// Notes how everything was left, when all is done.
  ///
  /// *Collective*.
  private func close(
    _ record: CallRecord, _ first: ImageReport, _ table: RunTable, _ stage: ProgramStage?,
    isNew: Bool
  ) throws -> RunReport {
    var record = record
    var report = try table.report(engine)
    report.images[0] = isNew ? job.report(.done, record) : first
    let merged = merged(report)
    for (index, sentence) in merged.conflicts {
      let fault = Fault(
        .program, "", "the out-json of `\(request.manifest.identifier)` \(sentence)",
        facts: ["another item told otherwise"])
      let uri = report.images[index].uri
      report.images[index] = ImageReport(uri: uri, status: .failed, fault: fault)
    }
    let listed = record
    try engine.agree { () throws -> Void in
      guard engine.rank == 0 else { return }
      try forget(merged.conflicts.map { $0.index - 1 }, listed)
    }
    if report.images.contains(where: { $0.status == .failed }) {
      stage?.leave()
      return report
    }
    let states = try states(of: record.images(report.images.compactMap(\.answer)))
    let ends = try finishedItems(record).ends
    var answers: [Int: WholeImageAnswer] = [:]
    for index in record.items.indices { answers[index] = report.images[index + 1].answer }
    let gone = record.gone(states, answers, ends)
    if !gone.isEmpty {
      for index in gone {
        let fault = Fault(
          .program, "",
          "`\(request.manifest.identifier)` has done it, and what it made is not there")
        report.images[index + 1] = ImageReport(
          uri: record.items[index].url, status: .failed, fault: fault)
      }
      try engine.agree { () throws -> Void in
        guard engine.rank == 0 else { return }
        try forget(gone, listed)
      }
      stage?.leave()
      return report
    }
    record.states = states
    let closed = record
    try engine.agree {
      guard let stage else { return }
      try job.write(closed, stage)
      try stage.remove()
    }
    if isNew {
      report.images[0] = job.report(.done, record)
      if engine.rank == 0 { runner.tell(report.images[0]) }
    }
    report.answer = merged.answer
    return report
  }

  private func forget(_ items: [Int], _ record: CallRecord) throws(Fault) {
    if items.isEmpty { return }
    let home = try OutputFolder(path: joinedKey(call.folder, CallJob.folder))
    for index in items { try item(record.items[index], home).forget() }
  }

  /// What all programs said as one answer, and which items contradict those before them.
  private func merged(
    _ report: RunReport
  ) -> (answer: WholeImageAnswer, conflicts: [(index: Int, sentence: String)]) {
    var all = MergedAnswers()
    var conflicts: [(index: Int, sentence: String)] = []
    for (index, image) in report.images.enumerated() {
      if let answer = image.answer, let sentence = all.add(answer) {
        conflicts.append((index, sentence))
      }
    }
    var answer = all.answer
    // Who says nothing has changed all that it was given.
    if answer.updates.isEmpty && answer.removals.isEmpty {
      answer.updates = call.images.map { ["zarr_url": .string($0)] }
    }
    return (answer, conflicts)
  }

  /// The table of the run: the first program, the items of its list, and the images that are not for it.
  private func table(_ items: [WorkItem]) -> RunTable {
    var entries: [String] = []
    if !isEmpty { entries.append(call.folder) }
    entries += items.map(\.url)
    let all = entries + call.skipped.map(\.uri)
    let table = RunTable(all.map { Inputs.Item(location: nil, uri: $0, fault: nil) })
    if engine.rank == 0 {
      for (number, skipped) in call.skipped.enumerated() {
        var report = ImageReport(uri: skipped.uri, status: .skipped)
        report.note = skipped.note
        add(report, entries.count + number, table)
      }
    }
    return table
  }

  private func add(_ report: ImageReport, _ index: Int, _ table: RunTable) {
    table.finish(index, ImageJob.JobResult(report: report), counting: true)
  }

  /// A report that came from another rank, with the image that it is about.
  private func named(_ report: ImageReport, _ record: CallRecord, _ index: Int) -> ImageReport {
    var named = ImageReport(uri: record.items[index].url, status: report.status)
    (named.answer, named.log, named.outputs) = (report.answer, report.log, report.outputs)
    return named
  }
}

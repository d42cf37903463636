import OMJSON
import OMManifest
import OMTask

/// One run of such a task.
struct CallRun: Sendable {
  let runner: Runner
  let task: any WholeImageTask
  let type: TaskType
  let call: ProgramCall
  let identity: ProgramIdentity
  let rules: AnswerRules
  let job: CallJob

  var engine: ThreadEngine { runner.engine }
  var request: RunRequest { runner.request }

  /// What a run finds that was done before.
  struct Past {
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

  func report(_ stage: ProgramStage?) throws -> RunReport {
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

  /// The table of the run: the first program, the items of its list, and the images that are not for it.
  func table(_ items: [WorkItem]) -> RunTable {
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

  func add(_ report: ImageReport, _ index: Int, _ table: RunTable) {
    table.finish(index, ImageJob.JobResult(report: report), counting: true)
  }

  /// A report that came from another rank, with the image that it is about.
  func named(_ report: ImageReport, _ record: CallRecord, _ index: Int) -> ImageReport {
    var named = ImageReport(uri: record.items[index].url, status: report.status)
    (named.answer, named.log, named.outputs) = (report.answer, report.log, report.outputs)
    return named
  }
}

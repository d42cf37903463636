import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask

// The end of a run, when all items are done.

extension CallRun {
  /// Notes how everything was left, when all is done.
  ///
  /// *Collective*.
  func close(
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

  func forget(_ items: [Int], _ record: CallRecord) throws(Fault) {
    if items.isEmpty { return }
    let home = try OutputFolder(path: joinedKey(call.folder, CallJob.folder))
    for index in items { try item(record.items[index], home).forget() }
  }

  /// What all programs said as one answer, and which items contradict those before them.
  func merged(
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
}

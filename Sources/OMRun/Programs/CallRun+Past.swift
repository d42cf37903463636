import OMGrid
import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask
import Synchronization

// What a run finds that was done before.

extension CallRun {
  /// What an earlier invocation left; nil when there is no record of it.
  ///
  /// *Collective*.
  func past() throws -> Past? {
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
  func finishedItems(
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
  func states(of urls: [String]) throws -> [String: ImageState] {
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
  func gatherLines(_ own: [JSON]) throws -> [JSON] {
    let newline = UInt8(ascii: "\n")
    let bytes = own.flatMap { $0.bytes() + [newline] }
    return try engine.communicator.gatherAll(bytes).flatMap { bytes in
      try bytes.split(separator: newline).map { try JSON(parsing: Array($0), subject: "a rank") }
    }
  }

  func share(of count: Int) -> [Int] {
    Partition(costs: Array(repeating: 1, count: count), parts: engine.rankCount)
      .pieces(of: engine.rank)
  }

  /// The report of a run that finds nothing to do.
  func finished(_ past: Past) throws -> RunReport {
    let table = table(past.record.items)
    if engine.rank == 0 {
      add(job.report(.skipped, past.record), 0, table)
      for (index, report) in past.items { add(named(report, past.record, index), index + 1, table) }
    }
    var report = try table.report(engine)
    report.answer = merged(report).answer
    return report
  }
}

import OMJSON
import OMTask
import Synchronization

/// What became of the images so far, on this rank.
final class RunTable: Sendable {
  private struct State {
    var reports: [ImageReport?]
    var faults: [Fault?]
    var written = 0
    var read = ReadTotals()
    var voxels = 0
  }

  private let state: Mutex<State>
  private let uris: [String]

  init(_ items: [Inputs.Item]) {
    uris = items.map(\.uri)
    state = Mutex(
      State(reports: items.map { _ in nil }, faults: items.map(\.fault)))
  }

  /// Whether an image failed before its turn.
  func hasFailed(_ index: Int) -> Bool { state.withLock { $0.faults[index] != nil } }

  /// Why an image failed before its turn.
  func fault(_ index: Int) -> Fault {
    state.withLock { $0.faults[index] }
      ?? Fault(.internal, uris[index], "the image has no place and no fault")
  }

  /// Marks an image as failed before its turn.
  func fail(_ index: Int, _ fault: Fault) {
    state.withLock { if $0.faults[index] == nil { $0.faults[index] = fault } }
  }

  /// Notes what became of an image.
  ///
  /// - Parameters:
  ///   - index: The image.
  ///   - result: What became of it.
  ///   - counting: Whether this rank tells of it; when ranks share an image only one does.
  func finish(_ index: Int, _ result: ImageJob.JobResult, counting: Bool) {
    state.withLock {
      $0.written += result.bytesWritten
      guard counting else { return }
      $0.reports[index] = result.report
      if !result.report.damage.listed.isEmpty { $0.reports.limitListedDamage() }
      $0.voxels += result.voxels
    }
  }

  func add(_ totals: ReadTotals) { state.withLock { $0.read.add(totals) } }

  /// The report of the whole run, the same on every rank.

  ///

  /// *Collective*.
  func report(_ engine: any Engine) throws(Fault) -> RunReport {
    let own = state.withLock { $0 }
    var report = RunReport()
    report.ranks = engine.rankCount
    report.threads = engine.workerCount
    var images: [ImageReport?] = uris.map { ImageReport(uri: $0, status: .failed) }
    var packet = Packet()
    packet.write([own.voxels, own.read.bytes, own.read.absentChunks, own.written, peakMemory()])
    // One by one: all together may be more than one document may hold.
    let entries = encoded(own.reports)
    packet.write(entries.count)
    for entry in entries { packet.write(entry.bytes()) }
    for bytes in try engine.communicator.gatherAll(packet.bytes) {
      var reader = PacketReader(bytes)
      let numbers = try reader.readArray(Int.self)
      report.voxels += numbers[0]
      report.bytesRead += numbers[1]
      report.absentChunks += numbers[2]
      report.bytesWritten += numbers[3]
      report.peakMemory = max(report.peakMemory, numbers[4])
      for _ in 0..<(try reader.readCount()) {
        let entry = try JSON(parsing: try reader.readBytes(), subject: "the report of a rank")
        guard let index = entry["index"]?.intValue, let image = entry["report"] else { continue }
        images[index] = try ImageReport(decoding: image, uri: uris[index])
      }
    }
    images.limitListedDamage()
    report.images = images.compactMap(\.self)
    return report
  }

  private func encoded(_ reports: [ImageReport?]) -> [JSON] {
    reports.enumerated().compactMap { index, report in
      report.map { ["index": JSON(index), "report": $0.encoded()] }
    }
  }
}

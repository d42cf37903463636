import OMGrid
import OMJSON
import OMTask
import Testing

@testable import OMRun

@Suite struct RunTableTests {
  static let reports: [ImageReport] = [
    ImageReport(uri: "plate/A/1/0", status: .done),
    ImageReport(uri: "plate/A/2/0", status: .skipped),
    ImageReport(
      uri: "plate/B/1/0", status: .failed,
      fault: Fault(.checksum, "0/c/1", "is damaged", facts: ["a", "b"], hint: "c")),
    {
      var report = ImageReport(uri: "µ \"x\"", status: .done)
      var output = OutputReport(name: "nuclei", uri: "u/labels/nuclei", dataType: .uint64)
      output.objects = 1 << 40
      output.foregroundShare = 0.1 + 0.2
      output.notes = ["look", "there"]
      output.thresholds = [
        ScopeThreshold(scope: "t=0 c=1", value: .leastNonzeroMagnitude),
        ScopeThreshold(scope: "", value: -0.1),
        ScopeThreshold(scope: "t=1", value: 12_345_678.000_000_1),
      ]
      report.outputs = [output, OutputReport(name: "", uri: "", dataType: .uint8)]
      return report
    }(),
  ]

  @Test(arguments: reports)
  func `a report comes back from its message as it was`(report: ImageReport) throws {
    let bytes = Array(report.encoded().text().utf8)
    let back = try ImageReport(decoding: JSON(parsing: bytes, subject: ""), uri: report.uri)
    #expect(back.uri == report.uri)
    #expect(back.status == report.status)
    #expect(back.fault == report.fault)
    #expect(back.outputs.count == report.outputs.count)
    for (one, other) in zip(back.outputs, report.outputs) {
      #expect(one.name == other.name && one.uri == other.uri)
      #expect(one.objects == other.objects)
      #expect(one.dataType == other.dataType)
      #expect(one.foregroundShare == other.foregroundShare)
      #expect(one.thresholds == other.thresholds)
      #expect(one.notes == other.notes)
    }
  }

  @Test(arguments: [1, 2, 3, 5])
  func `every rank gets the reports and totals of all`(count: Int) throws {
    let ranks = FakeRanks()
    let items = (0..<7).map { Inputs.Item(location: nil, uri: "image \($0)", fault: nil) }
    let results = ranks.run(count) { rank in
      let table = RunTable(items)
      // Image 6 is never finished.
      for index in 0..<6 where index % count == rank.rank {
        var result = ImageJob.JobResult(
          report: ImageReport(uri: "", status: index == 2 ? .skipped : .done))
        result.bytesWritten = 100
        result.voxels = 1 << index
        table.finish(index, result, counting: true)
      }
      // Written by this rank, told by another.
      table.finish(
        0,
        ImageJob.JobResult(
          report: ImageReport(uri: "", status: .failed), bytesWritten: 1, voxels: 1 << 20),
        counting: false)
      table.add(ReadTotals(bytes: 10, absentChunks: 2))
      table.add(ReadTotals(bytes: 5, absentChunks: 0))
      return try table.report(ThreadEngine(threads: 2, communicator: rank))
    }
    for result in results {
      let report = try result.get()
      #expect(report.images.map(\.uri) == items.map(\.uri))
      #expect(
        report.images.map(\.status) == [.done, .done, .skipped, .done, .done, .done, .failed])
      #expect(report.voxels == 63)
      #expect(report.bytesRead == 15 * count)
      #expect(report.absentChunks == 2 * count)
      #expect(report.bytesWritten == 600 + count)
      #expect(report.peakMemory > 0)
      #expect(report.ranks == count && report.threads == 2)
    }
  }

  @Test func `the first fault of an image stays`() {
    let broken = Fault(.missing, "a", "is not there")
    let table = RunTable([
      Inputs.Item(location: nil, uri: "a", fault: broken),
      Inputs.Item(location: nil, uri: "b", fault: nil),
    ])
    #expect(table.hasFailed(0) && !table.hasFailed(1))
    table.fail(0, Fault(.io, "", "later"))
    table.fail(1, Fault(.io, "", "first"))
    table.fail(1, Fault(.io, "", "second"))
    #expect(table.fault(0) == broken)
    #expect(table.fault(1).message == "first")
  }
}

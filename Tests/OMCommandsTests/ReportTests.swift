import OMGrid
import OMJSON
import OMManifest
import OMRun
import Testing

@testable import OMCommands

/// A run of three images: one done, one there already, one failed.
private func mixedReport() -> RunReport {
  var output = OutputReport(name: "nuclei", uri: "a.zarr/labels/nuclei", dataType: .uint32)
  output.objects = 1200
  output.thresholds = [
    ScopeThreshold(scope: "t=0 c=0", value: 412), ScopeThreshold(scope: "t=1 c=0", value: 390.5),
  ]
  output.foregroundShare = 0.63
  output.notes = ["over half of the voxels are foreground"]
  var mask = OutputReport(name: "mask", uri: "b.zarr/labels/mask", dataType: .uint8)
  mask.thresholds = [ScopeThreshold(scope: "", value: .nan)]
  var report = RunReport()
  report.images = [
    ImageReport(uri: "a.zarr", status: .done), ImageReport(uri: "b.zarr", status: .skipped),
    ImageReport(
      uri: "c.zarr", status: .failed,
      fault: Fault(.truncated, "0/c/0", "is cut off", facts: ["one"], hint: "fetch it again")),
  ]
  report.images[0].outputs = [output]
  report.images[0].damage = DamageReport(
    count: 3,
    listed: [
      DamageReport.Chunk(key: "0/c/0/1", position: [0, 3], message: "is cut off"),
      DamageReport.Chunk(key: "0/c/1/1", position: nil, message: "the index is damaged"),
    ])
  report.images[1].outputs = [mask]
  report.voxels = 134_217_728
  report.bytesRead = 50 << 20
  report.bytesWritten = 3 << 20
  report.absentChunks = 2
  report.seconds = 0.5
  report.peakMemory = 200 << 20
  report.ranks = 2
  report.threads = 4
  return report
}

@Suite struct ReportTests {
  @Test func `the report fits its schema`() throws {
    let parameters = try ParameterBinder(thresholdManifest()).bind()
    let document = ReportJSON.document(mixedReport(), task: "threshold", parameters: parameters)
    #expect(try Schema(named: "report").problems(of: document).isEmpty)
    #expect(document["exit_code"] == 65)
    #expect(document["images"]?.arrayValue?.count == 3)
    #expect(document["damaged_chunks"] == 3)
    let listed = document["images"]?.arrayValue?.first?["damaged_chunks"]?["listed"]
    #expect(
      listed == [
        ["key": "0/c/0/1", "chunk": [0, 3], "message": "is cut off"],
        ["key": "0/c/1/1", "message": "the index is damaged"],
      ])
  }

  @Test func `the schema notices a missing and a foreign key`() throws {
    let schema = try Schema(named: "report")
    #expect(!schema.problems(of: ["omtask": "1"]).isEmpty)
    let parameters = try ParameterBinder(thresholdManifest()).bind()
    var document = ReportJSON.document(
      mixedReport(), task: "threshold", parameters: parameters
    ).objectValue
    document?["foreign"] = 1
    #expect(!schema.problems(of: .object(document ?? [:])).isEmpty)
  }

  @Test func `every event fits its schema and is one line`() throws {
    let events: [RunEvent] = [
      .start(images: 3, ranks: 2, threads: 4),
      .progress(RunProgress(done: 1, total: 9, unit: "regions", phase: "label", bytes: 5)),
      .output(mixedReport().images[0].outputs[0], image: "a.zarr"),
      .warning("two\nlines"),
      .failure(image: "c.zarr", Fault(.io, "c", "is full")),
      .failure(image: "", Fault(.io, "", "x")),
      .end(mixedReport()),
    ]
    let sink = MemorySink()
    let writer = EventWriter(sink, task: "threshold")
    for event in events { writer.write(event, seconds: 0) }
    let lines = sink.text.split(separator: "\n")
    #expect(lines.count == events.count)
    let schema = try Schema(named: "event")
    for line in lines {
      let json = try JSON(parsing: Array(line.utf8), subject: "line")
      #expect(schema.problems(of: json).isEmpty, "\(line)")
    }
  }

  @Test func `progress events come at most twice per second`() {
    let sink = MemorySink()
    let writer = EventWriter(sink, task: "threshold") { "T" }
    for step in 0...100 {
      let progress = RunProgress(done: step, total: 100, unit: "regions", phase: "", bytes: 0)
      writer.write(.progress(progress), seconds: Double(step) / 100)
    }
    #expect(sink.text.split(separator: "\n").count == 3)
  }

  @Test func `the out-json lists what was processed, absolute and once`() {
    var report = mixedReport()
    report.images.append(ImageReport(uri: "/data/p.zarr/B/03/0/", status: .done))
    report.images.append(ImageReport(uri: "./a.zarr", status: .done))
    let document = OutJSON.document(report, inputs: ["p.zarr"], folder: "/data", types: [:])
    #expect(
      document.text() == """
        {"image_list_updates":[{"zarr_url":"/data/a.zarr"},{"zarr_url":"/data/b.zarr"},\
        {"zarr_url":"/data/p.zarr/B/03/0"}]}
        """)
  }

  @Test func `an image keeps the address that Fractal gave it`() {
    var report = RunReport()
    report.images = [ImageReport(uri: "/real/disk/p.zarr/B/03/0", status: .skipped)]
    let byImage = OutJSON.document(
      report, inputs: ["/link/p.zarr/B/03/0/"], folder: "/", types: [:])
    #expect(byImage["image_list_updates"] == [["zarr_url": "/link/p.zarr/B/03/0"]])
    let byPlate = OutJSON.document(report, inputs: ["/link/p.zarr"], folder: "/", types: [:])
    #expect(byPlate["image_list_updates"] == [["zarr_url": "/real/disk/p.zarr/B/03/0"]])
  }
}

@Suite struct SummaryTests {
  @Test func `the summary of several images`() {
    #expect(
      Summary.lines(mixedReport()) == [
        "1 image done, 1 skipped, 1 failed",
        "  a.zarr/labels/nuclei: 1,200 objects, 2 thresholds from 390.5 to 412, uint32",
        "    note: over half of the voxels are foreground",
        "  b.zarr/labels/mask: threshold nan, uint8",
        "134,217,728 voxels in 0.50 s (268 million per second) on 2 ranks x 4 threads, "
          + "read 50.0 MiB, wrote 3.0 MiB, peak memory 200 MiB",
        "2 chunks of the input not stored, taken as fill value",
        "3 damaged chunks of the input taken as fill value; `--report` lists them",
        "to look at it: omtask preview a.zarr --label nuclei --png nuclei.png",
      ])
  }

  @Test func `a summary holds no percentage and no word that Fractal takes for trouble`() {
    let text = Summary.lines(mixedReport()).joined().lowercased()
    #expect(!text.contains("%"))
    #expect(!text.contains("warning"))
  }

  @Test func `work that was done before costs nothing and says so`() {
    var report = RunReport()
    report.images = [ImageReport(uri: "a.zarr", status: .skipped)]
    #expect(Summary.lines(report) == ["nothing to do: a.zarr"])
  }

  @Test func `a single failure needs no summary besides`() {
    var report = RunReport()
    report.images = [ImageReport(uri: "a", status: .failed, fault: Fault(.io, "a", "is full"))]
    #expect(Summary.lines(report).isEmpty)
  }

  @Test(arguments: [
    ([412.0], "threshold 412"), ([5, 5, 5], "3 thresholds of 5"),
    ([7, 2.5], "2 thresholds from 2.5 to 7"),
  ])
  func `thresholds are a range when they differ`(values: [Double], text: String) {
    #expect(Summary.thresholds(values.map { ScopeThreshold(scope: "", value: $0) }) == text)
  }

  @Test(arguments: [
    ("/a/b-1.zarr", "/a/b-1.zarr"), ("my cells", "'my cells'"), ("it's", "'it'\\''s'"), ("", "''"),
  ])
  func `a call can be copied into a shell`(text: String, word: String) {
    #expect(shellWord(text) == word)
  }

  @Test func `many results are counted, not listed`() {
    var report = RunReport()
    report.images = (0..<40).map { number in
      var image = ImageReport(uri: "\(number)", status: .done)
      var output = OutputReport(name: "n", uri: "\(number)/labels/n", dataType: .uint32)
      output.objects = 10
      image.outputs = [output]
      return image
    }
    let lines = Summary.lines(report)
    #expect(lines.contains("and 32 more results, 400 objects in all"))
    #expect(lines.count < 15)
  }

  @Test func `a failure names its image`() {
    #expect(Summary.failures(of: mixedReport()).map(\.description) == ["c.zarr: 0/c/0: is cut off"])
  }
}

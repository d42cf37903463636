import OMGrid
import OMJSON
import OMRun
import Testing

@testable import OMCommands

@Suite struct PlanAnswerTests {
  private func plan(regions: Int) -> RunPlan {
    let regions = (0..<regions).map { number in
      RegionPlan(
        output: "nuclei", region: Region(origin: [8 * number, 0], shape: [8, 16]),
        owner: number % 2)
    }
    var image = ImagePlan(uri: "a.zarr")
    image.shape = [16, 16]
    image.dataType = .uint16
    image.passes = ["statistics", "labels"].map { PassPlan(name: $0, regions: regions) }
    image.outputs = [
      OutputPlan(
        name: "nuclei", uri: "a.zarr/labels/nuclei", levelShapes: [[16, 16], [8, 8]],
        dataType: .uint32, chunkShape: [4, 4], shardShape: [8, 16])
    ]
    image.bytesRead = 1024
    image.bytesWritten = 2048
    image.files = 6
    var plan = RunPlan()
    plan.images = [image]
    plan.splitsImages = true
    plan.ranks = 2
    plan.threads = 4
    plan.memory = 1 << 20
    plan.freeBytes = 1 << 30
    return plan
  }

  @Test func `a plan shows regions with owners once, then bytes, files and memory`() {
    #expect(
      PlanAnswer(plan: plan(regions: 2)).lines == [
        "a.zarr: 16 x 16 uint16",
        "  makes a.zarr/labels/nuclei: uint32, 2 levels, chunks 4 x 4, shards 8 x 16",
        "  statistics: 2 regions", "    nuclei  0:8,0:16  rank 0", "    nuclei  8:16,0:16  rank 1",
        "  labels: 2 regions, the same", "",
        "regions are spread over 2 ranks x 4 threads", "reads    1.0 KiB decoded",
        "writes   at most 2.0 KiB before compression, in at most 6 files, 1.0 GiB free",
        "memory   1.0 MiB per process", "job      1 process x 4 threads, 129 MiB each",
      ])
  }

  @Test func `a large plan asks for as many processes as have work`() throws {
    var large = plan(regions: 100)
    large.images[0].bytesRead = 1 << 40
    #expect(
      PlanAnswer(plan: large).lines.last
        == "job      12 processes x 4 threads, 129 MiB each, as ranks or as parts")
    let job: JSON = [
      "processes": 12, "threads_per_process": 4, "memory_per_process": 135_371_161, "parts": 12,
    ]
    #expect(PlanAnswer(plan: large).json["job"] == job)
    // By their bytes three processes are enough.
    large.images[0].bytesRead = 9 << 30
    #expect(large.job?.processes == 3)
    // A table is made by one job as a whole; many images may still be shared out.
    large.images[0].takesParts = false
    #expect(large.job?.parts == 1)
    large.images = Array(repeating: large.images[0], count: 30)
    #expect(large.job?.processes == 12 && large.job?.parts == 12)
  }

  @Test func `many regions are counted for a person and listed for a program`() {
    let answer = PlanAnswer(plan: plan(regions: 100))
    #expect(answer.lines.contains("    and 88 more, `--json` lists all"))
    let passes = answer.json["images"]?.arrayValue?.first?["passes"]?.arrayValue ?? []
    #expect(passes.map { $0["regions"]?.arrayValue?.count } == [100, 100])
    let last = passes.last?["regions"]?.arrayValue?.last
    #expect(last == ["output": "nuclei", "origin": [792, 0], "shape": [8, 16], "owner": 1])
  }
}

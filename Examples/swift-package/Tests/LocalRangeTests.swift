import OMGrid
import OMTask
import OMTaskTesting
import RangeTasks
import Testing

@Suite struct LocalRangeTests {
  @Test(arguments: [Vector3(0, 1, 1), Vector3(1, 0, 2), Vector3(2, 3, 1)])
  func `the kernel looks no farther than its halo`(radius: Vector3) throws {
    let sample = try SampleImage.blobs(.uint16, shape: [7, 24, 31])
    try Trials(dataTypes: [.uint8, .float32, .uint64]).check(LocalRange(halo: radius), on: sample)
  }

  @Test(arguments: [[30, 41], [6, 22, 27], [2, 2, 5, 20, 19]])
  func `every task gives the same however the work is cut`(shape: [Int]) throws {
    let sample = try SampleImage.blobs(.uint8, shape: shape)
    for entry in TaskCatalog.entries {
      try Trials(rounds: 10).check(entry, on: sample)
    }
  }

  @Test func `parameters are taken`() throws {
    let sample = try SampleImage.blobs(.float32, shape: [6, 22, 27])
    let summary = try Trials(rounds: 6).check(
      TaskCatalog.entries[0], parameters: ["radius": [1, 2, 0]], on: sample)
    #expect(summary.equal == 6)
  }
}

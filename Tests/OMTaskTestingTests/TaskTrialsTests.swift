import OMGrid
import OMJSON
import OMManifest
import OMTask
import OMTaskTesting
import OMTasks
import Testing

@Suite struct TaskTrialsTests {
  @Test func `a task within its halo is confirmed`() throws {
    let sample = try SampleImage.blobs(.uint8, shape: [5, 20, 25])
    let summary = try Trials(rounds: 8).check(
      LargestTask.entry(), parameters: ["halo": 2, "looks": 2], on: sample)
    #expect(summary.equal == 8 && summary.difference == nil && summary.refused == 0)
    #expect(summary.dataTypes == [.uint8, .float32])
    #expect(summary.mostRegions > 4)
  }

  @Test func `a task with a halo that is too small is found`() throws {
    let sample = try SampleImage.blobs(.uint8, shape: [30, 35])
    let difference = try #require(throws: Difference.self) {
      try Trials().check(LargestTask.entry(), parameters: ["looks": 3], on: sample)
    }
    #expect(difference.message.contains("image sample_largest, level 0, y="))
    #expect(difference.reference.hasPrefix("1 region, chunks of"))
    #expect(difference.description.contains("`Trials(rounds: 1, seed: \(difference.seed))`"))
    let again = try #require(throws: Difference.self) {
      try Trials(rounds: 1, seed: difference.seed).check(
        LargestTask.entry(), parameters: ["looks": 3], on: sample)
    }
    #expect(again == difference)
  }

  @Test func `class H is compared on the same regions`() throws {
    let sample = try SampleImage.blobs(.uint8, shape: [30, 35])
    let summary = try Trials(rounds: 6).check(
      LargestTask.entry(exactness: "H"), parameters: ["looks": 3], on: sample)
    #expect(summary.equal == 6)
  }

  @Test func `what the task says to the whole sample is thrown`() throws {
    let sample = try SampleImage.blobs(.uint8, shape: [2, 5, 6, 7])
    #expect(throws: Fault.self) {
      try Trials().check(LargestTask.entry(), parameters: ["lucks": 3], on: sample)
    }
  }

  @Test(arguments: TaskCatalog.entries.indices)
  func `every task of omtask is confirmed`(index: Int) throws {
    let entry = TaskCatalog.entries[index]
    let name = try Manifest(text: entry.manifestText, subject: "").identifier
    // Its profiles are files, which a test from end to end writes.
    if name == "illumination-correct" { return }
    var sample = try SampleImage.blobs(.uint16, shape: [5, 18, 21])
    let numbers = (0..<5 * 18 * 21).map { UInt32($0 / 40 % 7) }
    try sample.add(label: "nuclei", SampleImage(numbers, shape: [5, 18, 21]))
    let parameters: [String: JSONObject] = [
      "gaussian-blur": ["sigma": [1.0]], "label-objects": ["label": "nuclei"],
      "measure": ["label": "nuclei"], "masking-roi-table": ["label": "nuclei"],
      "filter-labels": ["label": "nuclei", "min_size": 90],
    ]
    let summary = try Trials(rounds: 4).check(
      entry, parameters: parameters[name] ?? JSONObject(), on: sample)
    #expect(summary.equal + summary.refused == 4 && summary.equal > 0)
  }
}

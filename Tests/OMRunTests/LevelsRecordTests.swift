import OMImage
import OMJSON
import OMStore
import Testing

@testable import OMRun

@Suite struct LevelsRecordTests {
  private func node(_ path: String, home: String) -> LevelsNode {
    let store = MemoryStore([:])
    return LevelsNode(
      location: ImageLocation(store: store, path: path),
      home: ImageLocation(store: store, path: home), version: .v0_5,
      finest: ValueStamp(size: 700, modified: 1_700_000_000_000_000_001),
      edit: LevelsEdit(
        old: ["0", "1"], transformations: [[]],
        pyramid: PyramidDescription(method: "mean", description: "")))
  }

  @Test(arguments: [
    ("", "", ""), ("A/1/0", "A/1/0", ""), ("labels/n", "", "labels/n"),
    ("A/1/0/labels/n", "A/1/0", "labels/n"),
  ])
  func `a place is told from the image that holds the stage`(
    path: String, home: String, folder: String
  ) {
    #expect(node(path, home: home).folder == folder)
  }

  @Test func `a record is read as it was written`() throws {
    let folder = ImageFolder()
    let home = ImageLocation(store: MemoryStore([:]), path: "A/1/0")
    let record = LevelsRecord(
      runID: "abc", changes: [.init(node: node("A/1/0/labels/n", home: "A/1/0"), names: ["1_2"])])
    folder.put(LevelsRecord.name, String(decoding: record.bytes, as: UTF8.self))
    let read = try #require(try LevelsRecord.read(try folder.output(), home: home))
    #expect(read.bytes == record.bytes)
    #expect(read.changes[0].node.location.path == "A/1/0/labels/n")
    #expect(read.changes[0].paths == ["0", "1_2"])
    #expect(read.changes[0].node.finest.modified == 1_700_000_000_000_000_001)
  }

  @Test(arguments: [
    "", "{", "{}", #"{"run_id": "a", "images": []}"#,
    #"{"run_id": "a", "images": [{"folder": "../x", "version": "0.5", "names": ["1"], "finest": {"bytes": 1, "modified": 2}, "edit": {"old": ["0"], "transformations": [[]], "method": "m", "description": ""}}]}"#,
    #"{"run_id": "a", "images": [{"folder": "", "version": "0.5", "names": ["/etc"], "finest": {"bytes": 1, "modified": 2}, "edit": {"old": ["0"], "transformations": [[]], "method": "m", "description": ""}}]}"#,
    #"{"run_id": "a", "images": [{"folder": "", "version": "0.5", "names": [], "finest": {"bytes": 1, "modified": 2}, "edit": {"old": ["0"], "transformations": [[]], "method": "m", "description": ""}}]}"#,
  ])
  func `what is no record does nothing`(text: String) throws {
    let folder = ImageFolder()
    folder.put(LevelsRecord.name, text)
    let home = ImageLocation(store: MemoryStore([:]), path: "")
    #expect(try LevelsRecord.read(try folder.output(), home: home) == nil)
  }
}

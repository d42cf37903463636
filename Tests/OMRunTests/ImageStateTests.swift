import Foundation
import OMJSON
import OMStore
import Testing

@testable import OMRun

@Suite struct ImageStateTests {
  private let image: URL

  init() throws {
    image = FileManager.default.temporaryDirectory
      .appending(path: "state-\(UUID().uuidString)/image.zarr")
    try put(
      "zarr.json",
      #"{"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"multiscales": [1]}}}"#)
    try put("0/zarr.json", "{}")
    try put("0/c/0/0", "abc")
    try put("labels/zarr.json", "{}")
    try put("labels/a/0/c/0", "1")
    try put("tables/t/table.csv", "x")
  }

  private func put(_ key: String, _ text: String) throws {
    let file = image.appending(path: key)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  private func state() throws -> ImageState { try #require(try ImageState(at: image.path)) }

  @Test func `an image is made of metadata, arrays, labels and tables`() throws {
    #expect(try state().parts.keys.sorted() == ["", "0", "labels/a", "tables/t"])
    #expect(try ImageState(at: image.path + "x") == nil)
  }

  @Test func `a change is seen in its part only`() throws {
    let before = try state()
    try put("labels/a/0/c/0", "22")
    try put("labels/b/0/c/0", "22")
    let after = try state()
    #expect(after.made(since: before) == ["labels/a", "labels/b"])
    #expect(after.firstChange(since: before) == "labels/a")
    #expect(after.hasVoxels(of: before))
    try put("0/c/0/1", "x")
    #expect(try !state().hasVoxels(of: before))
  }

  @Test func `what others keep beside the data is no change`() throws {
    let before = try state()
    try put(".omtask/x/run.json", "{}")
    try put("labels/a.ngio-locks/root.lock", "")
    try put("labels/.hidden/x", "")
    try put("0/.zmetadata", "{}")
    try put("labels/zarr.json", "{ }")
    try put(
      "zarr.json",
      #"{"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"multiscales": [1]}, "x": 1}}"#
    )
    #expect(try state() == before)
  }

  @Test func `it survives being written down`() throws {
    let before = try state()
    #expect(ImageState(before.json) == before)
    #expect(ImageState(["a": 1]) == nil && ImageState(nil) == nil)
  }

  @Test(arguments: [
    ("0123456789abcdef.json", true), ("0123456789abcdef.log", true), ("0123456789abcdef", false),
    ("0123456789abcde.json", false), ("place.lock", false), ("0123456789abcdeg.json", false),
  ])
  func `names of records are known`(name: String, isOne: Bool) {
    #expect(ProgramRecord.isName(name) == isOne)
  }
}

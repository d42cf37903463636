import OMJSON
import OMStore
import Testing

@testable import OMRun

@Suite struct ImageStateTests {
  private let folder = ImageFolder()

  init() {
    put(
      "zarr.json",
      #"{"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"multiscales": [1]}}}"#)
    put("0/zarr.json", "{}")
    put("0/c/0/0", "abc")
    put("labels/zarr.json", "{}")
    put("labels/a/0/c/0", "1")
    put("tables/t/table.csv", "x")
  }

  private func put(_ key: String, _ text: String) { folder.put(key, text) }

  private func state() throws -> ImageState { try #require(try ImageState(at: folder.path)) }

  @Test func `an image is made of metadata, arrays, labels and tables`() throws {
    #expect(try state().parts.keys.sorted() == ["", "0", "labels/a", "tables/t"])
    #expect(try ImageState(at: folder.path + "x") == nil)
  }

  @Test func `a change is seen in its part only`() throws {
    let before = try state()
    put("labels/a/0/c/0", "22")
    put("labels/b/0/c/0", "22")
    let after = try state()
    #expect(after.made(since: before) == ["labels/a", "labels/b"])
    #expect(after.firstChange(since: before) == "labels/a")
    #expect(after.hasVoxels(of: before))
    put("0/c/0/1", "x")
    #expect(try !state().hasVoxels(of: before))
  }

  @Test func `what others keep beside the data is no change`() throws {
    let before = try state()
    put(".omtask/x/run.json", "{}")
    put("labels/a.ngio-locks/root.lock", "")
    put("labels/.hidden/x", "")
    put("0/.zmetadata", "{}")
    put("labels/zarr.json", "{ }")
    put(
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

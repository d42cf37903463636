import Glibc
import OMJSON
import OMTask
import Testing

@testable import OMExternal

@Suite struct ImageAnswerTests {
  private func read(_ text: String?) throws -> WholeImageAnswer {
    let path = "/tmp/omtask-answer-\(getpid())-\(UInt64.random(in: 0 ... .max)).json"
    defer { unlink(path) }
    if let text {
      let file = open(path, O_WRONLY | O_CREAT, 0o600)
      _ = write(file, text, text.utf8.count)
      close(file)
    }
    return try ImageAnswerReader.read(path, program: "p")
  }

  @Test(arguments: [nil, "null", "{}", #"{"image_list_updates": [], "image_list_removals": null}"#])
  func `nothing to tell is told in many ways`(text: String?) throws {
    #expect(try read(text) == WholeImageAnswer())
  }

  @Test func `updates and removals are taken as they are`() throws {
    let answer = try read(
      #"""
      {"image_list_updates": [{"zarr_url": "/a/b/", "origin": "/a/c", "attributes": {"x": null},
        "types": {"y": true}}, {"zarr_url": "s3://b/c"}], "image_list_removals": ["/a/d/"]}
      """#)
    #expect(answer.removals == ["/a/d"])
    #expect(answer.updates.map { $0["zarr_url"] } == ["/a/b", "s3://b/c"])
    #expect(answer.updates[0]["attributes"] == ["x": .null])
  }

  @Test func `what says nothing is left out of an update`() throws {
    let answer = try read(
      #"""
      {"image_list_updates": [
        {"zarr_url": "/a", "origin": null, "attributes": {}, "types": null, "other": 1}]}
      """#)
    #expect(answer.updates == [["zarr_url": "/a"]])
  }

  @Test(arguments: [
    ("", "is no JSON"), ("[]", "is a list"), (#"{"parallelization_list": []}"#, "known are"),
    (#"{"image_list_updates": [{}]}"#, "no `zarr_url`"),
    (#"{"image_list_updates": [{"zarr_url": "b"}]}"#, "absolute"),
    (#"{"image_list_removals": ["/a/../b"]}"#, "without `..`"),
    (#"{"image_list_removals": [1]}"#, "expected the address"),
    (#"{"image_list_updates": [{"zarr_url": "/a", "types": []}]}"#, "expected an object"),
    (#"{"image_list_updates": [{"zarr_url": "/a", "attributes": 1}]}"#, "expected an object"),
  ])
  func `what Fractal would refuse is refused`(text: String, says: String) {
    #expect {
      _ = try read(text)
    } throws: { ($0 as? Fault)?.kind == .program && "\($0)".contains(says) }
  }
}

import OMJSON
import Testing

@testable import OMRun

/// How the metadata of a group lead to arrays in another folder.
@Suite struct BucketNodeTests {
  private func leading(_ text: String) throws -> JSON {
    let bytes = try BucketNode.leading(Array(text.utf8), into: "g0123456789abcdef", subject: "x")
    return try JSON(parsing: bytes, subject: "x")
  }

  @Test func `paths of arrays move and nothing else does`() throws {
    let made = try leading(
      #"""
      {"attributes": {"ome": {"version": "0.5", "multiscales": [{"name": "0", "datasets": [
        {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.50, 2]}]},
        {"path": "1"}]}], "image-label": {"source": {"image": "../../", "path": "0"}}},
        "omtask": {"parameters": {"path": "0"}}}, "zarr_format": 3}
      """#)
    let multiscale = made["attributes"]?["ome"]?["multiscales"]?.arrayValue?[0]
    let paths = multiscale?["datasets"]?.arrayValue?.compactMap { $0["path"]?.stringValue }
    #expect(paths == ["g0123456789abcdef/0", "g0123456789abcdef/1"])
    #expect(multiscale?["name"] == "0")
    #expect(made["attributes"]?["omtask"]?["parameters"]?["path"] == "0")
    #expect(made["attributes"]?["ome"]?["image-label"]?["source"]?["path"] == "0")
    #expect(made.bytes().contains(Array("1.50".utf8)))
  }

  @Test func `transformations that begin at an array move with it`() throws {
    let made = try leading(
      #"""
      {"attributes": {"ome": {"multiscales": [{"datasets": [{"path": "0",
        "coordinateTransformations": [{"type": "scale", "input": {"path": "0"},
        "output": {"name": "physical"}}]}]}]}}}
      """#)
    let dataset = made["attributes"]?["ome"]?["multiscales"]?.arrayValue?[0]["datasets"]?
      .arrayValue?[0]
    let step = dataset?["coordinateTransformations"]?.arrayValue?[0]
    #expect(step?["input"]?["path"] == "g0123456789abcdef/0")
    #expect(step?["output"]?["name"] == "physical")
  }

  @Test func `only folders of runs are taken for such`() {
    #expect(BucketNode.isGeneration("g0123456789abcdef"))
    for name in ["0", "g", "g0123", "h0123456789abcdef", "g0123456789ABCDEF"] {
      #expect(!BucketNode.isGeneration(name))
    }
  }
}

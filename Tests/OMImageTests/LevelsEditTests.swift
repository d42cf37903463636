import OMImage
import OMJSON
import Testing

@Suite struct LevelsEditTests {
  private static let text = #"""
    {"zarr_format": 3, "node_type": "group", "attributes": {"mine": 1.50, "ome": {"version": "0.5",
      "multiscales": [
        {"name": "a", "axes": [{"name": "x"}], "metadata": {"by": "them"}, "datasets": [
          {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [0.50]}]},
          {"path": "s1", "note": 1, "coordinateTransformations": []}]},
        {"datasets": [{"path": "x"}]}]}}}
    """#
  private let edit = LevelsEdit(
    old: ["0", "s1"], transformations: [["first"], ["second"]],
    pyramid: PyramidDescription(method: "mean", description: "mean of the window"))

  private func edited(_ edit: LevelsEdit, _ text: String = text) throws -> JSON {
    let bytes = try edit.document(of: Array(text.utf8), paths: ["1", "2"], subject: "zarr.json")
    return try JSON(parsing: bytes, subject: "zarr.json")
  }

  @Test func `only what is said of coarser levels changes`() throws {
    let attributes = try #require(try edited(edit)["attributes"])
    #expect(attributes["mine"] == .number("1.50"))
    let images = try #require(attributes["ome"]?["multiscales"]?.arrayValue)
    #expect(images[1] == ["datasets": [["path": "x"]]])
    #expect(images[0].objectValue?.keys == ["name", "axes", "metadata", "datasets", "type"])
    #expect(images[0]["type"] == "mean")
    let levels = try #require(images[0]["datasets"]?.arrayValue)
    #expect(levels.map { $0["path"]?.stringValue } == ["0", "1", "2"])
    #expect(
      levels[0]["coordinateTransformations"]?.arrayValue?.first?["scale"]
        == .array([.number("0.50")]))
    #expect(levels[1]["note"] == 1)
    #expect(levels[2]["coordinateTransformations"] == ["second"])
  }

  @Test func `levels that others have changed are not replaced`() throws {
    let other = LevelsEdit(old: ["0", "1"], transformations: [[]], pyramid: edit.pyramid)
    #expect { try edited(other) } throws: { ($0 as? Fault)?.kind == .locked }
  }

  @Test(arguments: ["{", "[]", "{}", #"{"multiscales": []}"#, #"{"multiscales": [{}]}"#])
  func `a document without levels is refused`(text: String) {
    #expect(throws: Fault.self) { try edited(edit, text) }
  }

  @Test func `a change is the same after it was written down`() {
    #expect(LevelsEdit(.object(edit.json)) == edit)
    #expect(LevelsEdit(["old": []]) == nil)
  }

  @Test func `paths are those of the first image and of all`() throws {
    let paths = try LevelsEdit.paths(in: Array(Self.text.utf8), subject: "zarr.json")
    #expect(paths.first == ["0", "s1"])
    #expect(paths.all == ["0", "s1", "x"])
  }
}

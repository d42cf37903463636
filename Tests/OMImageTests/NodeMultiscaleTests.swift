import OMImage
import OMJSON
import Testing

@Suite struct NodeMultiscaleTests {
  private let systems =
    #""coordinateSystems": [{"id": "p", "name": "physical", "axes": [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]}]"#

  /// An image of two levels whose metadata are a node; `level` says what its levels have besides a path.
  private func image(
    _ level: String, more: String = "", array: String? = nil
  ) -> [String: String] {
    let nodes = ["0", "1"].map {
      #"{"type": "singlescale", "name": "s\#($0)", "path": {"type": "zarr", "path": "./\#($0)"}\#(level)}"#
    }
    let ome =
      #"{"version": "0.9.dev3", "type": "multiscale", "name": "raw", "id": "im", "attributes": {\#(systems)\#(more)}, "nodes": [\#(nodes.joined(separator: ", ")), {"type": "acme:note", "name": "n"}]}"#
    return [
      "zarr.json": Examples.group05(#"{"ome": \#(ome)}"#),
      "0/zarr.json": array ?? Examples.array05("[2, 8, 8]"),
      "1/zarr.json": array ?? Examples.array05("[2, 4, 4]"),
    ]
  }

  private func steps(_ text: String) -> String {
    #", "attributes": {"coordinateTransformations": [\#(text)]}"#
  }

  @Test(arguments: [
    #"{"type": "scale", "scale": [1, 0.5, 0.25], "output": {"id": "p"}}"#,
    #"{"type": "scale", "scale": [1, 0.5, 0.25], "output": "p"}"#,
    #"{"type": "scale", "scale": [1, 0.5, 0.25], "output": {"ref": "p"}}"#,
    #"{"type": "scale", "scale": [1, 0.5, 0.25], "output": {"name": "physical"}}"#,
    #"{"type": "scale", "scale": [1, 0.5, 0.25]}"#,
    #"{"type": "sequence", "transformations": [{"type": "scale", "scale": [1, 0.5, 0.25]}], "output": {"id": "p"}}"#,
    #"{"type": "scale", "scale": [1, 0.5, 0.25]}, {"type": "translation", "translation": [0, 1, 2], "output": {"id": "p"}}"#,
  ])
  func `references of every draft lead to the system of the levels`(text: String) throws {
    let image = try Examples.open(image(steps(text)))
    #expect(image.nodeVersion == "0.9.dev3" && image.version == .v0_6)
    #expect(image.name == "raw" && image.axes.map(\.letter) == ["c", "y", "x"])
    #expect(image.levels.map(\.path) == ["0", "1"])
    #expect(image.levels.map(\.scale) == [[1, 0.5, 0.25], [1, 0.5, 0.25]])
    #expect(!image.isLabel)
  }

  @Test func `levels may tell their transformations themselves`() throws {
    let own =
      #""attributes": {"ome": {"type": "singlescale", "attributes": {"coordinateTransformations": [{"type": "scale", "scale": [1, 2, 2], "output": {"id": "p"}}]}}}"#
    let array = Examples.array05("[2, 8, 8]").replacing(#""attributes": {}"#, with: own)
    #expect(try Examples.open(image("", array: array)).levels[0].scale == [1, 2, 2])
  }

  @Test func `labels make a label image`() throws {
    let scale = #"{"type": "scale", "scale": [1, 1, 1], "output": {"id": "p"}}"#
    #expect(try Examples.open(image(steps(scale), more: #", "labels": {}"#)).isLabel)
  }

  @Test(arguments: [
    ("", "`coordinateTransformations` is missing"),
    (#", "attributes": {"coordinateTransformations": []}"#, "is empty"),
    (
      #", "attributes": {"coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1], "output": {"id": "z"}}]}"#,
      "`z`, which is not there"
    ),
    (
      #", "attributes": {"coordinateTransformations": [{"type": "rotation", "output": {"id": "p"}}]}"#,
      "`rotation`"
    ),
  ])
  func `what is wrong with a level is told`(level: String, message: String) throws {
    let fault = try #require(throws: Fault.self) { try Examples.open(image(level)) }
    #expect(fault.kind == .metadata && fault.message.contains(message))
  }
}

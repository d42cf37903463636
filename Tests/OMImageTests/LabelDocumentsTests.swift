import OMImage
import OMJSON
import Testing

@Suite struct LabelDocumentsTests {
  private func label(
    _ documents: [String: String], name: String = "nuclei", firstLevel: Int = 0,
    keepsC: Bool = false
  ) throws -> LabelDocuments {
    let image = try Examples.open(documents)
    return LabelDocuments(
      image: image, version: image.version, name: name, firstLevel: firstLevel,
      levelCount: image.levels.count - firstLevel, keepsChannelAxis: keepsC,
      pyramid: .init(method: "mode", description: "the most frequent value"),
      record: ["task": "threshold"])
  }

  @Test func `a label of a 0_4 image has the image's scales without the channel axis`() throws {
    let documents = try label(Examples.image04()).group(source: LabelDocuments.sourceInPlace)
    #expect(documents.map(\.key) == [".zgroup", ".zattrs"])
    let expected = #"""
      {"multiscales": [{"version": "0.4", "name": "nuclei", "axes": [
          {"name": "y", "type": "space", "unit": "micrometer"},
          {"name": "x", "type": "space", "unit": "micrometer"}],
        "datasets": [
          {"path": "0", "coordinateTransformations": [
            {"type": "scale", "scale": [0.50, 0.25]}, {"type": "translation", "translation": [1.10, 2]}]},
          {"path": "1", "coordinateTransformations": [{"type": "scale", "scale": [1.00, 0.5]}]}],
        "coordinateTransformations": [{"type": "scale", "scale": [1e-3, 2]}],
        "type": "mode",
        "metadata": {"method": "mode", "description": "the most frequent value"}}],
       "image-label": {"version": "0.4", "source": {"image": "../../"}},
       "omtask": {"task": "threshold"}}
      """#
    #expect(documents[1].json == (try json(expected)))
  }

  @Test func `a label of a 0_5 image has its metadata below ome and our record beside it`() throws {
    let documents = try label(Examples.image05(), keepsC: true).group(
      source: LabelDocuments.sourceInPlace)
    #expect(documents.map(\.key) == ["zarr.json"])
    let attributes = try #require(documents[0].json["attributes"])
    #expect(attributes.objectValue?.keys == ["ome", "omtask"])
    let ome = try #require(attributes["ome"])
    #expect(ome["version"] == "0.5")
    #expect(ome["image-label"] == ["version": "0.5", "source": ["image": "../../"]])
    let multiscale = try #require(ome["multiscales"]?.arrayValue?.first)
    #expect(multiscale["version"] == nil)
    #expect(multiscale["axes"]?.arrayValue?.count == 3)
    #expect(
      multiscale["coordinateTransformations"] == [
        ["type": "scale", "scale": [9, .number("1e-3"), 2]]
      ])
  }

  @Test func `a label of a coarser level starts there`() throws {
    let label = try label(Examples.image05(), firstLevel: 1)
    #expect(label.axisNames == ["y", "x"])
    let multiscale = label.group(source: LabelDocuments.sourceInPlace)[0].json["attributes"]?[
      "ome"]?["multiscales"]?.arrayValue?.first
    #expect(
      multiscale?["datasets"] == [
        [
          "path": "0",
          "coordinateTransformations": [["type": "scale", "scale": [.number("1.00"), 0.5]]],
        ]
      ])
    #expect(multiscale?["type"] == nil)
  }

  @Test func `one label in an output of its own is the root`() throws {
    let documents = SeparateOutput.documents(
      [try label(Examples.image05())], source: "/data/a.zarr")
    #expect(SeparateOutput.paths(["nuclei"]) == [""])
    #expect(documents.map(\.key) == ["zarr.json"])
    let ome = documents[0].json["attributes"]?["ome"]
    #expect(ome?["image-label"]?["source"] == ["image": "/data/a.zarr"])
  }

  @Test func `several labels in an output of their own lie in its labels group`() throws {
    let labels = try ["a", "b"].map { try label(Examples.image05(), name: $0) }
    let documents = SeparateOutput.documents(labels, source: "../a.zarr")
    #expect(SeparateOutput.paths(["a", "b"]) == ["labels/a", "labels/b"])
    #expect(
      documents.map(\.key)
        == ["labels/a/zarr.json", "labels/b/zarr.json", "labels/zarr.json", "zarr.json"])
    let ome = documents[1].json["attributes"]?["ome"]
    #expect(ome?["image-label"]?["source"] == ["image": "../../../a.zarr"])
    #expect(documents[2].json["attributes"]?["ome"]?["labels"] == ["a", "b"])
  }
}

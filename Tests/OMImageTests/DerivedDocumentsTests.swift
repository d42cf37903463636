import OMImage
import OMJSON
import Testing

@Suite struct DerivedDocumentsTests {
  private func derived(
    _ documents: [String: String], collapse: DerivedDocuments.Collapse? = nil
  ) throws -> DerivedDocuments {
    DerivedDocuments(
      image: try Examples.open(documents), name: "cells_gaussian", collapse: collapse,
      pyramid: .init(method: "mean", description: "the mean"), record: ["task": "gaussian-blur"])
  }

  @Test func `a derived image keeps axes, scales and channels as they were written`() throws {
    let documents = try derived(Examples.image04()).group(source: "../cells.zarr")
    #expect(documents.map(\.key) == [".zgroup", ".zattrs"])
    let attributes = documents[1].json
    let image = try json(Examples.multiscale)
    let multiscale = try #require(attributes["multiscales"]?.arrayValue?.first)
    #expect(multiscale["axes"] == image["axes"])
    #expect(multiscale["datasets"] == image["datasets"])
    #expect(multiscale["coordinateTransformations"] == image["coordinateTransformations"])
    #expect(multiscale["name"] == "cells_gaussian")
    #expect(multiscale["type"] == "mean")
    #expect(attributes["omero"] == (try json(Examples.omero)))
    #expect(attributes["omtask"] == ["task": "gaussian-blur", "source": "../cells.zarr"])
  }

  @Test func `a projected axis is as thick as what it covers, at every level`() throws {
    let documents = try derived(
      Examples.image05(), collapse: .init(axis: 1, range: 2..<6)
    ).group(source: "..")
    let ome = try #require(documents[0].json["attributes"]?["ome"])
    let datasets = try #require(ome["multiscales"]?.arrayValue?.first?["datasets"]?.arrayValue)
    // Voxels of 0.5 from 1.1 on: the middle of the third to the sixth.
    #expect(
      datasets[0]["coordinateTransformations"]?.arrayValue?.compactMap { $0["scale"] } == [
        [1, 2.0, .number("0.25")]
      ])
    for level in datasets {
      let list = try #require(level["coordinateTransformations"]?.arrayValue)
      #expect(list[0]["scale"]?.arrayValue?[1].doubleValue == 2)
      #expect(list[1]["translation"]?.arrayValue?[1].doubleValue == 1.1 + 0.5 * 3.5)
    }
    #expect(ome["omero"] != nil)
  }

  @Test func `projected channels are none of those that were described`() throws {
    let documents = try derived(
      Examples.image05(), collapse: .init(axis: 0, range: 0..<2)
    ).group(source: "..")
    #expect(documents[0].json["attributes"]?["ome"]?["omero"] == nil)
  }

  @Test(arguments: [
    ("0", "0_blur"), ("a.zarr", "a_blur.zarr"), ("a.ome.zarr", "a_blur.ome.zarr"),
    (".zarr", ".zarr_blur"), ("b.tiff", "b.tiff_blur"),
  ])
  func `the suffix comes in front of the extension`(image: String, expected: String) {
    let location = ImageLocation(store: Examples.store([:]), path: image)
    #expect(DerivedDocuments.name(of: location, suffix: "blur") == expected)
  }
}

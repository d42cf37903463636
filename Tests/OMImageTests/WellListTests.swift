import OMImage
import OMJSON
import Testing

@Suite struct WellListTests {
  private static let v3 = #"""
    {"zarr_format": 3, "node_type": "group", "attributes": {"mine": 1.50, "ome": {"version": "0.5",
      "well": {"images": [{"path": "0", "acquisition": 2}, {"path": "1"}]}}}}
    """#
  private static let v2 = #"{"well": {"version": "0.4", "images": [{"path": "0"}]}, "mine": 1.50}"#

  private func adding(_ name: String, besides origin: String, to text: String) throws -> JSON? {
    let bytes = try WellList.adding(name, besides: origin, to: Array(text.utf8), subject: "well")
    return try bytes.map { try JSON(parsing: $0, subject: "well") }
  }

  @Test func `a new image gets the acquisition of the one it was made of`() throws {
    let made = try #require(try adding("0_blur", besides: "0", to: Self.v3))
    let well = made["attributes"]?["ome"]?["well"]
    #expect(
      well?["images"] == [
        ["path": "0", "acquisition": 2], ["path": "1"], ["path": "0_blur", "acquisition": 2],
      ])
    #expect(made["attributes"]?["mine"] == .number("1.50"))
  }

  @Test func `the order of derived images is that of their origins, whichever is first`() throws {
    var texts: [String] = []
    for order in [["0", "1"], ["1", "0"]] {
      var text = Self.v3
      for origin in order {
        text = try #require(try adding("\(origin)_blur", besides: origin, to: text)).text()
      }
      texts.append(text)
    }
    #expect(texts[0] == texts[1])
    let made = try #require(try adding("1_x", besides: "1", to: texts[1]))
    let images = made["attributes"]?["ome"]?["well"]?["images"]?.arrayValue ?? []
    #expect(
      images.compactMap { $0["path"]?.stringValue } == ["0", "1", "0_blur", "1_blur", "1_x"])
  }

  @Test func `a well of Zarr v2 is changed in its place`() throws {
    let made = try #require(try adding("0_blur", besides: "0", to: Self.v2))
    #expect(made["well"]?["images"] == [["path": "0"], ["path": "0_blur"]])
    #expect(made["well"]?["version"] == "0.4")
    #expect(made["mine"] == .number("1.50"))
  }

  @Test func `an image that is listed is not listed twice`() throws {
    #expect(try adding("1", besides: "0", to: Self.v3) == nil)
  }

  @Test(arguments: ["[]", "{}", #"{"well": {}}"#, #"{"well": {"images": 3}}"#, "{"])
  func `a document without a list of images is refused`(text: String) {
    #expect(throws: Fault.self) { try adding("x", besides: "0", to: text) }
  }
}

import OMImage
import OMJSON
import Testing

@Suite struct ConsolidatedMetadataTests {
  private let change = ConsolidatedMetadata.Change(
    written: [
      MetadataDocument(key: "B/03/0/labels/zarr.json", json: ["labels": 2]),
      MetadataDocument(key: "B/03/0/labels/n/zarr.json", json: ["n": 1]),
      MetadataDocument(key: "B/03/0/labels/n/0/zarr.json", json: ["n": 0]),
    ], replaced: "B/03/0/labels/n")

  private func v3(_ entries: String) -> [String: String] {
    let copy = #"{"kind": "inline", "must_understand": false, "metadata": \#(entries)}"#
    return [
      "zarr.json": """
      {"zarr_format": 3, "node_type": "group", "consolidated_metadata": \(copy), "attributes": {}}
      """
    ]
  }

  private func updated(_ documents: [String: String], _ format: Int = 3) throws -> MetadataDocument?
  {
    try ConsolidatedMetadata.updated(
      "", in: Examples.store(documents), zarrFormat: format, by: [change])
  }

  @Test func `an image's metadata may be copied in it and in all groups above`() {
    #expect(ConsolidatedMetadata.holders(of: "B/03/0") == ["B/03/0", "B/03", "B", ""])
    #expect(ConsolidatedMetadata.holders(of: "") == [""])
  }

  @Test func `new nodes join a v3 copy, replaced ones go and the rest stays`() throws {
    let entries = """
      {"B/03/0/labels": {"labels": 1}, "B/03/0/labels/n/0": {"old": 1.50}, "B/03/0/labels/n/9": {},
       "B/03/0/labels/nn": {"x": 1.50}}
      """
    let document = try #require(try updated(v3(entries)))
    #expect(document.key == "zarr.json")
    let copy = document.json["consolidated_metadata"]
    #expect(copy?["kind"] == "inline")
    let expected = """
      {"B/03/0/labels": {"labels": 2}, "B/03/0/labels/n/0": {"n": 0},
       "B/03/0/labels/nn": {"x": 1.50}, "B/03/0/labels/n": {"n": 1}}
      """
    #expect(copy?["metadata"] == (try json(expected)))
  }

  @Test func `new documents join a v2 copy under relative names`() throws {
    let v2 = ConsolidatedMetadata.Change(
      written: [MetadataDocument(key: "B/03/0/labels/.zattrs", json: ["labels": ["n"]])])
    let store = Examples.store([
      "B/03/.zmetadata": #"{"metadata": {"0/.zgroup": {}}, "zarr_consolidated_format": 1}"#
    ])
    let document = try ConsolidatedMetadata.updated(
      "B/03", in: store, zarrFormat: 2, by: [v2])
    #expect(document?.key == "B/03/.zmetadata")
    #expect(
      document?.json["metadata"] == ["0/.zgroup": [:], "0/labels/.zattrs": ["labels": ["n"]]])
  }

  @Test func `new nodes stand behind their siblings`() throws {
    let entries = """
      {"B": {}, "B/03": {}, "B/03/0": {}, "C": {}, "B/03/0/labels": {}, "B/03/0/labels/a": {},
       "C/labels": {}, "C/labels/a": {}}
      """
    let document = try #require(try updated(v3(entries)))
    let copy = document.json["consolidated_metadata"]?["metadata"]?.objectValue
    #expect(
      copy?.keys == [
        "B", "B/03", "B/03/0", "C", "B/03/0/labels", "B/03/0/labels/a", "B/03/0/labels/n",
        "C/labels", "C/labels/a", "B/03/0/labels/n/0",
      ])
  }

  @Test(arguments: [("B/03/0", true), ("B/03/1", false)])
  func `a copy that does not know the image stays without its labels`(
    known: String, isChanged: Bool
  ) throws {
    var change = change
    change.within = "B/03/0"
    let store = Examples.store(v3(#"{"B": {}, "B/03": {}, "\#(known)": {}}"#))
    let document = try ConsolidatedMetadata.updated("", in: store, zarrFormat: 3, by: [change])
    #expect((document != nil) == isChanged)
  }

  @Test func `the format of a copy is that of the document that holds it`() throws {
    #expect(try ConsolidatedMetadata.formatOfCopy("", in: Examples.store(v3("{}"))) == 3)
    let plain = Examples.store(["zarr.json": Examples.group05("{}"), "B/.zmetadata": "{}"])
    #expect(try ConsolidatedMetadata.formatOfCopy("", in: plain) == nil)
    #expect(try ConsolidatedMetadata.formatOfCopy("B", in: plain) == 2)
    #expect(try ConsolidatedMetadata.formatOfCopy("C", in: plain) == nil)
  }

  @Test func `a group without a copy is left alone, and so is a copy that is true`() throws {
    #expect(try updated(["zarr.json": Examples.group05("{}")]) == nil)
    #expect(try updated([:], 2) == nil)
    let first = try #require(try updated(v3("{}")))
    #expect(try updated(["zarr.json": first.json.text()]) == nil)
  }

  @Test func `a copy of another type is refused`() throws {
    let fault = try #require(throws: Fault.self) { try updated(v3("[]")) }
    #expect(fault.kind == .metadata && fault.subject == "zarr.json")
  }
}

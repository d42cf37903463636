import OMImage
import OMJSON
import Testing

@Suite struct CollectionListTests {
  private typealias Entry = CollectionList.Entry

  private func adding(
    _ entries: [Entry], to text: String? = nil, record: JSON = ["task": "threshold"]
  ) throws -> String? {
    try CollectionList.adding(
      entries, record: record, to: text.map { Array($0.utf8) }, name: "mine.json", folder: "/data/c"
    ).map { String(decoding: $0, as: UTF8.self) }
  }

  private let nuclei = CollectionList.Entry(
    path: "/data/c/a.zarr/labels/nuclei", source: "/data/c/a.zarr", isLabel: true)

  @Test func `a new document names the image and the label image that refers to it`() throws {
    let document = try json(try #require(try adding([nuclei])))
    let root = try #require(document["ome"])
    #expect(root["version"] == "0.9.dev3" && root["type"] == "collection" && root["name"] == "mine")
    let nodes = try #require(root["nodes"]?.arrayValue)
    #expect(nodes.map { $0["type"] } == ["multiscale", "multiscale"])
    #expect(nodes.map { $0["name"] } == ["a.zarr", "a.zarr/labels/nuclei"])
    #expect(
      nodes.map { $0["path"] } == [
        ["type": "zarr", "path": "./a.zarr"],
        ["type": "zarr", "path": "./a.zarr/labels/nuclei"],
      ])
    #expect(nodes[1]["attributes"]?["labels"]?["source"] == [["id": "a.zarr"]])
    #expect(nodes[1]["attributes"]?["omtask:provenance"]?["task"] == "threshold")
  }

  @Test func `what is listed already changes nothing`() throws {
    let text = try adding([nuclei])
    #expect(try adding([nuclei, nuclei], to: text) == nil)
    #expect(try adding([nuclei], to: text, record: ["task": "other"]) != nil)
  }

  @Test func `all else stays as it is, in its order and its numbers`() throws {
    let text = #"""
      {"a": 1e3, "ome": {"version": "0.9.dev3", "type": "collection", "name": "n", "acme:x": 1.50, "nodes": [
        {"type": "acme:note", "name": "q", "path": 7},
        {"type": "collection", "name": "in", "nodes": [
          {"type": "multiscale", "name": "raw", "path": "./a.zarr", "attributes": {"acme:y": 2.0}}]}]}}
      """#
    let made = try #require(try adding([nuclei], to: text))
    #expect(made.contains("1e3") && made.contains("1.50") && made.contains("2.0"))
    let nodes = try #require(try json(made)["ome"]?["nodes"]?.arrayValue)
    #expect(nodes.count == 2 && nodes[0]["path"] == 7)
    // The result lies beside its image, which has an id now.
    let inner = try #require(nodes[1]["nodes"]?.arrayValue)
    #expect(inner.count == 2 && inner[0]["path"] == "./a.zarr" && inner[0]["id"] == "a.zarr")
    #expect(inner[1]["attributes"]?["labels"]?["source"] == [["id": "a.zarr"]])
  }

  @Test func `ids are new and of the letters that RFC-8 allows`() throws {
    let text =
      #"{"ome": {"version": "0.9.dev3", "type": "collection", "name": "n", "attributes": {"plate": {"rows": [{"id": "b-c.zarr"}]}}, "nodes": []}}"#
    let made = try adding(
      [Entry(path: "/data/c/b c.zarr", source: nil, isLabel: false)], to: text)
    let node = try json(try #require(made))["ome"]?["nodes"]?.arrayValue?.first
    #expect(node?["id"] == "b-c.zarr-2" && node?["name"] == "b c.zarr")
    #expect(node?["attributes"]?["labels"] == nil)
  }

  @Test(arguments: [
    ("/data/c/a.zarr", "./a.zarr"), ("/data/a.zarr", "../a.zarr"), ("/x/y", "../../x/y"),
    ("/data/cc/a", "../cc/a"),
  ])
  func `paths are relative to the document`(path: String, relative: String) throws {
    let made = try #require(try adding([Entry(path: path, source: nil, isLabel: true)]))
    let node = try json(made)["ome"]?["nodes"]?.arrayValue?.first
    #expect(node?["path"]?["path"] == .string(relative))
    #expect(try adding([Entry(path: path, source: nil, isLabel: true)], to: made) == nil)
  }

  @Test func `a name that leads elsewhere is kept`() throws {
    let text =
      #"{"ome": {"version": "0.9.dev3", "type": "collection", "name": "n", "nodes": [{"type": "multiscale", "name": "a.zarr", "path": "./other.zarr"}]}}"#
    let fault = try #require(throws: Fault.self) { try adding([nuclei], to: text) }
    #expect(fault.kind == .exists && fault.message.contains("`a.zarr`"))
  }

  @Test(arguments: ["[]", "{}", #"{"ome": {"type": "multiscale", "nodes": []}}"#, "{"])
  func `what is no collection is refused`(text: String) throws {
    let fault = try #require(throws: Fault.self) { try adding([nuclei], to: text) }
    #expect([.metadata, .json].contains(fault.kind) && fault.subject == "/data/c/mine.json")
  }

  @Test func `ten thousand results are listed at once`() throws {
    let entries = (0..<10_000).map {
      Entry(path: "/data/c/\($0).zarr/labels/n", source: "/data/c/\($0).zarr", isLabel: true)
    }
    let made = try #require(try adding(entries))
    #expect(try json(made)["ome"]?["nodes"]?.arrayValue?.count == 20_000)
    #expect(try adding(entries, to: made) == nil)
  }
}

import OMImage
import OMJSON
import Testing

@Suite struct CollectionWalkTests {
  private func open(
    _ documents: [String: String], path: String = "", wells: [String] = [],
    acquisition: Int? = nil
  ) throws -> ImageSource {
    try ImageSource.open(
      ImageLocation(store: Examples.store(documents), path: path),
      filter: try WellFilter(wells: wells, acquisition: acquisition))
  }

  /// A document of a collection with these nodes.
  private func collection(_ nodes: String..., name: String = "top", more: String = "") -> String {
    #"""
    {"ome": {"version": "0.9.dev3", "type": "collection", "name": "\#(name)"\#(more),
     "nodes": [\#(nodes.joined(separator: ", "))]}}
    """#
  }

  /// A node whose path is written as the last draft does.
  private func node(
    _ path: String, type: String = "multiscale", kind: String = "zarr", more: String = ""
  ) -> String {
    #"{"type": "\#(type)", "name": "\#(path)", "path": {"type": "\#(kind)", "path": "\#(path)"}\#(more)}"#
  }

  @Test func `a collection holds the images of its nodes in their order, without labels`() throws {
    let document = collection(
      node("./b.zarr"), node("a.zarr"),
      node("./n.zarr", more: #", "attributes": {"labels": {"source": [{"id": "x"}]}}"#),
      #"{"type": "acme:table", "name": "t", "path": 3}"#)
    let source = try open(["collection.json": document] + Examples.image05("a.zarr"))
    #expect(source.kind == .collection && source.labelCount == 1)
    #expect(source.items.map(\.location.path) == ["b.zarr", "a.zarr"])
    #expect(source.items.allSatisfy { $0.fault == nil })
    #expect(try OMEImage.open(source.items[1].location).name == "cells")
  }

  @Test func `the metadata of a group may be a collection`() throws {
    let text = collection(node("./a"))
    let group = Examples.group05(text)
    #expect(try open(["zarr.json": group]).items.map(\.location.path) == ["a"])
    let named = #"{"type": "collection", "name": "top", "nodes": [\#(node("../a.zarr"))]}"#
    let inner = Examples.group05(
      #"{"ome": \#(named.replacing("{\"type\"", with: "{\"version\": \"0.9.dev3\", \"type\"")) }"#)
    let source = try open(["in/zarr.json": inner], path: "in")
    #expect(source.items.map(\.location.path) == ["a.zarr"])
  }

  @Test func `paths of the first draft are texts`() throws {
    let other = collection(#"{"type": "multiscale", "name": "i", "path": "i.zarr"}"#)
    let document = collection(
      #"{"type": "multiscale", "name": "a", "path": "./a.zarr"}"#,
      #"{"type": "collection", "name": "o", "path": "./more/other.json"}"#)
    let source = try open(["collection.json": document, "more/other.json": other])
    #expect(source.items.map(\.location.path) == ["a.zarr", "more/i.zarr"])
  }

  @Test func `collections lie in collections, and in other documents`() throws {
    let inner = #"{"type": "collection", "name": "in", "nodes": [\#(node("./x.zarr"))]}"#
    let document = collection(
      inner, node("./plate.zarr", type: "collection"), node("./x.zarr"))
    let plate = Examples.below("plate.zarr", Examples.plate05())
    let source = try open(["collection.json": document] + plate)
    #expect(
      source.items.map(\.location.path)
        == ["x.zarr", "plate.zarr/B/03/0", "plate.zarr/B/03/1", "plate.zarr/C/10/0"])
    #expect(source.items[1].location.field?.row == "B")
  }

  @Test func `a circle ends, and is told`() throws {
    let source = try open([
      "collection.json": collection(
        node("./a.zarr"), node("./other.json", type: "collection", kind: "json")),
      "other.json": collection(node("./collection.json", type: "collection", kind: "json")),
    ])
    #expect(source.items.count == 2 && source.items[0].fault == nil)
    #expect(source.items[1].fault?.message.contains("circle") == true)
  }

  @Test func `many ways to one document are one`() throws {
    // Each document names the next one twice: 2^30 ways.
    var documents: [String: String] = [:]
    for number in 0..<30 {
      let next = node("./\(number + 1).json", type: "collection", kind: "json")
      documents["\(number).json"] = collection(next, next)
    }
    documents["30.json"] = collection(node("./a.zarr"), node("./a.zarr"))
    documents["collection.json"] = documents["0.json"]
    #expect(try open(documents).items.map(\.location.path) == ["a.zarr"])
  }

  @Test func `a chain of documents has an end`() throws {
    var documents: [String: String] = [:]
    for number in 0..<60 {
      let next = node("./\(number + 1).json", type: "collection", kind: "json")
      documents[number == 0 ? "collection.json" : "\(number).json"] = collection(next)
    }
    let fault = try #require(try open(documents).items.first?.fault)
    #expect(fault.message.contains("32"))
  }

  @Test(arguments: [
    ("../a.zarr", FaultKind.path), ("/etc/a.zarr", .path), ("file:///a.zarr", .path),
    ("https://example.org/a.zarr", .path), ("s3://bucket/a.zarr", .path),
  ])
  func `paths do not leave the hierarchy`(path: String, kind: FaultKind) throws {
    let source = try open(["collection.json": collection(node(path), node("./a.zarr"))])
    #expect(source.items[0].fault?.kind == kind && source.items[1].fault == nil)
  }

  @Test(arguments: [
    (#"{"name": "x", "path": "a"}"#, "`type` is missing"),
    (#"{"type": "multiscale", "name": "x"}"#, "neither"),
    (#"{"type": "multiscale", "name": "x", "path": "a", "nodes": []}"#, "both"),
    (#"{"type": "multiscale", "name": "x", "path": 3}"#, "expected an object"),
    (#"{"type": "multiscale", "name": "x", "path": {"type": "acme:y", "path": "a"}}"#, "acme:y"),
    (#"{"type": "multiscale", "name": "x", "nodes": []}"#, "no group of its own"),
    (#"{"type": "collection", "name": "x", "path": "gone.zarr"}"#, "not there"),
  ])
  func `a node that cannot be followed is an item with a fault`(
    node: String, message: String
  ) throws {
    let source = try open(["collection.json": collection(node, self.node("./a.zarr"))])
    #expect(source.items[0].fault?.message.contains(message) == true)
    #expect(source.items[1].fault == nil)
  }

  @Test func `wells and acquisitions of a plate are known by their names`() throws {
    let acquisition = #", "attributes": {"acquisition": {"id": "q1"}}"#
    let well = { (row: String, column: String, nodes: String) in
      #"{"type": "collection", "name": "\#(row)", "attributes": {"well": {"row": {"id": "\#(row)"}, "column": \#(column)}}, "nodes": [\#(nodes)]}"#
    }
    let plate =
      #", "attributes": {"plate": {"rows": [{"id": "r0", "name": "B"}, {"id": "C"}], "columns": [{"id": "c3", "name": "03"}], "acquisitions": [{"id": "q0"}, {"id": "q1"}]}}"#
    let document = collection(
      well("r0", #"{"id": "c3"}"#, node("./f0.zarr") + "," + node("./f1.zarr", more: acquisition)),
      well("C", #"{"ref": "c3"}"#, node("./f2.zarr", more: acquisition)), more: plate)
    let documents = ["collection.json": document]
    let fields = try open(documents).items.compactMap(\.location.field)
    #expect(fields.map { $0.row + $0.column } == ["B03", "B03", "C03"])
    #expect(fields.map(\.acquisition) == [nil, 1, 1])
    #expect(try open(documents, wells: ["C/*"]).items.map(\.location.path) == ["f2.zarr"])
    #expect(
      try open(documents, acquisition: 1).items.map(\.location.path) == ["f1.zarr", "f2.zarr"])
  }

  @Test func `an empty collection and a document that is none are refused`() throws {
    let empty = try #require(throws: Fault.self) { try open(["collection.json": collection()]) }
    #expect(empty.kind == .metadata && empty.message.contains("no images"))
    for text in ["{}", "[]", #"{"ome": {"version": "0.9.dev3"}}"#] {
      let fault = try #require(throws: Fault.self) { try open(["collection.json": text]) }
      #expect(fault.kind == .metadata && fault.subject == "memory/collection.json")
    }
  }
}

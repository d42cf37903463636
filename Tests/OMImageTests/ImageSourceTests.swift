import OMImage
import OMJSON
import Testing

@Suite struct ImageSourceTests {
  private func open(
    _ documents: [String: String], wells: [String] = [], acquisition: Int? = nil, path: String = ""
  ) throws -> ImageSource {
    try ImageSource.open(
      ImageLocation(store: Examples.store(documents), path: path),
      filter: try WellFilter(wells: wells, acquisition: acquisition))
  }

  @Test func `a plate holds the images of all its wells, in the order of the metadata`() throws {
    let source = try open(Examples.plate05())
    #expect(source.kind == .plate)
    #expect(source.items.map(\.location.path) == ["B/03/0", "B/03/1", "C/10/0"])
    #expect(source.items.allSatisfy { $0.fault == nil })
    let field = try #require(source.items[1].location.field)
    #expect(field.row == "B" && field.column == "03" && field.name == "1" && field.acquisition == 2)
    #expect(try OMEImage.open(source.items[2].location).name == "cells")
  }

  @Test func `a well holds its own images`() throws {
    let source = try open(Examples.plate05(), path: "B/03")
    #expect(source.kind == .well)
    #expect(source.items.map(\.location.path) == ["B/03/0", "B/03/1"])
    #expect(source.items[0].location.field?.row == "B")
  }

  @Test func `an image is one item`() throws {
    let source = try open(Examples.image04())
    #expect(source.kind == .image && source.items.count == 1)
  }

  @Test(arguments: [
    (["B/03"], 2), (["*/10"], 1), (["C/*"], 1), (["C/*", "B/0*"], 3), (["B/*3"], 2), (["*/*"], 3),
  ])
  func `wells are chosen by patterns of row and column`(wells: [String], count: Int) throws {
    #expect(try open(Examples.plate05(), wells: wells).items.count == count)
  }

  @Test func `acquisitions are chosen by number`() throws {
    let paths = try open(Examples.plate05(), acquisition: 1).items.map(\.location.path)
    #expect(paths == ["B/03/0", "C/10/0"])
  }

  @Test func `a filter that leaves nothing, or is no pattern, is a fault of usage`() throws {
    for wells in [["D/*"], ["B03"], ["B/03/0"], ["B/"]] {
      let fault = try #require(throws: Fault.self) { try open(Examples.plate05(), wells: wells) }
      #expect(fault.kind == .usage && fault.message.contains(wells[0]))
    }
  }

  @Test func `a broken well is an item with a fault and the others are there`() throws {
    var documents = Examples.plate05()
    documents["B/03/zarr.json"] = "{"
    let items = try open(documents).items
    #expect(items.map(\.location.path) == ["B/03", "C/10/0"])
    #expect(items[0].fault?.kind == .json && items[1].fault == nil)
    #expect(items[0].fault?.subject == "memory/B/03/zarr.json")
    documents["B/03/zarr.json"] = nil
    #expect(try open(documents).items[0].fault?.kind == .missing)
  }

  @Test func `a well or image path that leads outside is an item with a fault`() throws {
    var documents = Examples.plate05()
    documents["zarr.json"] = documents["zarr.json"]?.replacing("C/10", with: "../outside")
    let plate = try open(documents).items
    #expect(plate.count == 3)
    #expect(plate[2].fault?.kind == .path && plate[2].fault?.subject == "memory/zarr.json")
    documents = Examples.plate05()
    documents["C/10/zarr.json"] = documents["C/10/zarr.json"]?
      .replacing(#""path": "0""#, with: #""path": "../../0""#)
    #expect(try open(documents).items[2].fault?.kind == .path)
  }

  @Test func `what is no image is refused, and an image just below is suggested`() throws {
    let nothing = try #require(throws: Fault.self) { try open(["readme.txt": "hello"]) }
    #expect(nothing.kind == .metadata && nothing.hint == nil)
    let parent = try #require(throws: Fault.self) { try open(Examples.image05("cells.zarr")) }
    #expect(parent.hint == "did you mean `memory/cells.zarr`?")
    let array = try #require(throws: Fault.self) { try open(Examples.image04(), path: "0") }
    #expect(array.kind == .metadata && array.subject == "memory/0")
  }
}

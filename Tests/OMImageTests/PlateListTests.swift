import OMImage
import OMJSON
import OMStore
import Testing

@Suite struct PlateListTests {
  private static let plate = #"""
    {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "plate": {
      "name": "p", "field_count": 2, "rows": [{"name": "A"}], "columns": [{"name": "1"},
      {"name": "2"}], "theirs": 1.50, "wells": [{"path": "A/1", "rowIndex": 0, "columnIndex": 0},
      {"path": "A/2", "rowIndex": 0, "columnIndex": 1}]}}}}
    """#
  private static let well = #"""
    {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "well": {
      "images": [{"path": "0", "acquisition": 4}, {"path": "1", "theirs": 2.0}]}}}}
    """#

  private func store() -> MemoryStore {
    MemoryStore([
      "zarr.json": Array(Self.plate.utf8), "A/1/zarr.json": Array(Self.well.utf8),
      "A/2/zarr.json": Array(Self.well.utf8),
    ])
  }

  private func list(
    _ path: String, _ version: OMEVersion = .v0_5, name: String = "new.zarr"
  ) throws -> PlateList {
    let image = ImageLocation(store: store(), path: path)
    return PlateList(try #require(try PlateField.find(image)), version: version, name: name)
  }

  private func json(_ bytes: [UInt8]?) throws -> JSON {
    try JSON(parsing: try #require(bytes), subject: "")
  }

  @Test func `an image knows its well and its plate`() throws {
    let field = try #require(
      try PlateField.find(ImageLocation(store: store(), path: "A/2/1")))
    #expect((field.plate, field.well, field.name, field.path) == ("", "A/2", "1", "A/2/1"))
    #expect(field.plateDocument["theirs"] == .number("1.50"))
  }

  @Test(arguments: ["A", "A/1", "B/1/0", "A/3/0", ""])
  func `what no plate lists has no field`(path: String) throws {
    #expect(try PlateField.find(ImageLocation(store: store(), path: path)) == nil)
  }

  @Test func `wells and images stand in the order of the other plate, whoever comes first`() throws
  {
    var plate: [UInt8]?
    var well: [UInt8]?
    for path in ["A/2/1", "A/1/0", "A/2/0", "A/1/1"] {
      plate = try list(path).plate(plate, images: 1, subject: "") ?? plate
      if path.hasPrefix("A/1") { well = try list(path).well(well, subject: "") }
    }
    let made = try json(plate)["attributes"]?["ome"]?["plate"]
    #expect(made?["wells"]?.arrayValue?.compactMap { $0["path"]?.stringValue } == ["A/1", "A/2"])
    #expect(made?["name"] == "new.zarr")
    #expect(made?["theirs"] == .number("1.50"))
    #expect(
      try json(well)["attributes"]?["ome"]?["well"]?["images"] == [
        ["path": "0", "acquisition": 4], ["path": "1", "theirs": .number("2.0")],
      ])
  }

  @Test func `the number of fields is that of the fullest well`() throws {
    let first = try list("A/1/0").plate(nil, images: 1, subject: "")
    #expect(try json(first)["attributes"]?["ome"]?["plate"]?["field_count"] == 1)
    #expect(try list("A/1/0").plate(first, images: 1, subject: "") == nil)
    let second = try list("A/1/1").plate(first, images: 2, subject: "")
    #expect(try json(second)["attributes"]?["ome"]?["plate"]?["field_count"] == 2)
    #expect(try list("A/1/1").plate(second, images: 1, subject: "") == nil)
  }

  @Test func `a plate of another version says so everywhere`() throws {
    let list = try list("A/1/0", .v0_4)
    #expect(list.root(source: "..").map(\.key) == [".zgroup", ".zattrs"])
    let plate = try json(try list.plate(nil, images: 1, subject: ""))
    #expect(plate["plate"]?["version"] == "0.4")
    #expect(try json(try list.well(nil, subject: ""))["well"]?["version"] == "0.4")
  }

  @Test func `what others wrote into the documents stays`() throws {
    let before = #"{"mine": 1.50, "attributes": {"also": [2.0]}}"#
    let made = try json(try list("A/1/0").plate(Array(before.utf8), images: 1, subject: ""))
    #expect(made["mine"] == .number("1.50"))
    #expect(made["attributes"]?["also"] == [.number("2.0")])
  }

  @Test(arguments: ["[]", "{", "3"])
  func `a document that is none is refused`(text: String) throws {
    let list = try list("A/1/0")
    #expect(throws: Fault.self) { try list.plate(Array(text.utf8), images: 1, subject: "") }
    #expect(throws: Fault.self) { try list.well(Array(text.utf8), subject: "") }
  }

  @Test func `only plates of ours with the same rows and columns take an image`() throws {
    let list = try list("A/1/0")
    #expect(try list.problem(in: store()) != nil)
    var documents: [String: [UInt8]] = [:]
    for document in list.root(source: "../p.zarr") { documents[document.key] = document.bytes }
    #expect(try list.problem(in: MemoryStore(documents)) == nil)
    let made = try list.plate(documents["zarr.json"], images: 1, subject: "")
    #expect(try list.problem(in: MemoryStore(["zarr.json": made ?? []])) == nil)
    let text = String(decoding: made ?? [], as: UTF8.self).replacing("\"A\"", with: "\"B\"")
    #expect(
      try list.problem(in: MemoryStore(["zarr.json": Array(text.utf8)]))?.contains("rows") == true)
  }
}

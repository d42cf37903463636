import OMImage
import OMJSON
import Testing

@Suite struct OMEImageArrayTests {
  private func fault(_ documents: [String: String]) throws -> Fault {
    let image = try Examples.open(documents)
    return try #require(throws: Fault.self) { try image.arrays() }
  }

  @Test func `a listed level without an array is missing and named`() throws {
    var documents = Examples.image05()
    documents["1/zarr.json"] = nil
    let fault = try fault(documents)
    #expect(fault.kind == .missing && fault.subject == "memory/1")
  }

  @Test func `an array with another number of dimensions is refused`() throws {
    var documents = Examples.image04()
    documents["0/.zarray"] = Examples.array04("[2, 8, 8]")
      .replacing("[2, 8, 8]", with: "[8, 8]").replacing("[1, 4, 4]", with: "[4, 4]")
    let fault = try fault(documents)
    #expect(fault.kind == .metadata && fault.message.contains("3 axes"))
    #expect(fault.message.contains("2 dimensions") && fault.subject == "memory/.zattrs")
  }

  @Test func `dimension names that differ from the axes are refused`() throws {
    let other = ["0/zarr.json": Examples.array05("[2, 8, 8]", names: #"["c", "x", "y"]"#)]
    let fault = try fault(Examples.image05() + other)
    #expect(fault.kind == .metadata && fault.message.contains("c, x, y"))
  }

  @Test func `missing dimension names are accepted`() throws {
    let none = ["0/zarr.json": Examples.array05("[2, 8, 8]", names: "null")]
    #expect(try Examples.open(Examples.image05() + none).arrays().count == 2)
  }

  @Test func `a level that is larger than the one before is refused`() throws {
    let larger = ["1/zarr.json": Examples.array05("[2, 16, 16]")]
    let fault = try fault(Examples.image05() + larger)
    #expect(fault.kind == .metadata && fault.message.contains("[2, 16, 16]"))
  }

  @Test func `an array of the other Zarr format is refused`() throws {
    var documents = Examples.image05() + ["0/.zarray": Examples.array04("[2, 8, 8]")]
    documents["0/zarr.json"] = nil
    #expect(try fault(documents).kind == .metadata)
  }
}

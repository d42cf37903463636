import OMJSON
import Testing

@testable import OMRun

@Suite struct SeparatePathTests {
  @Test(arguments: [1, 40, 247, 248, 255])
  func `the name of a stage is no longer than a disk takes`(length: Int) throws {
    let path = try SeparatePath("/data/" + String(repeating: "n", count: length))
    #expect(path.stages.utf8.count <= 255)
    #expect((path.stages == ".\(path.name).omtask") == (length <= 247))
  }

  @Test func `long names have stages of their own`() throws {
    let start = String(repeating: "ä", count: 126)
    #expect(try SeparatePath(start + "ax").stages != SeparatePath(start + "ay").stages)
    #expect(try SeparatePath(start + "ax").stages.utf8.count <= 255)
  }

  @Test(arguments: ["", "/", ".", "a/..", "a/zarr.json", String(repeating: "n", count: 256)])
  func `what is no name of a new folder is refused`(uri: String) {
    #expect(throws: Fault.self) { try SeparatePath(uri) }
  }

  @Test(arguments: [
    ("/data/new.zarr", "/data", "new.zarr/B/03"), ("new.zarr", ".", "new.zarr/B/03"),
    ("/new.zarr", "/", "new.zarr/B/03"),
  ])
  func `an image of a new plate is staged beside the plate`(
    uri: String, holder: String, folder: String
  ) throws {
    let plate = try SeparatePath(uri)
    let image = SeparatePath("0", inWell: "B/03", of: plate)
    #expect((image.stageHolder, image.folder) == (holder, folder))
    #expect(image.stages == plate.stages && plate.folder.isEmpty)
    #expect(image.uri == "\(plate.uri)/B/03/0")
    #expect(image.lockFolder == ".0.omtask")
  }
}

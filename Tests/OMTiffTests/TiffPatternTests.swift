import OMJSON
import Testing

@testable import OMTiff

@Suite struct TiffPatternTests {
  private func match(_ pattern: String, _ name: String) throws -> [Character: String]? {
    let read = try #require(try TiffPattern(pattern))
    return TiffPattern.match(name, try #require(read.names.last))
  }

  @Test(arguments: [
    ("img_t{t}_c{c}.tif", "img_t12_c3.tif", ["t": "12", "c": "3"] as [Character: String]),
    ("{c}_z{z}.tif", "DAPI_z004.tif", ["c": "DAPI", "z": "004"]),
    ("{c}_z{z}.tif", "a_z1_z2.tif", ["c": "a_z1", "z": "2"]),
    ("t{t}1.tif", "t1.tif", nil), ("t{t}.tif", "t.tif", nil), ("t{t}.tif", "t-1.tif", nil),
    ("t{t}.tif", "t1.tiff", nil), ("t{t}.tif", "t1234567890123456789.tif", nil),
  ])
  func `a name fits or does not`(
    pattern: String, name: String, found: [Character: String]?
  ) throws {
    #expect(try match(pattern, name) == found)
  }

  @Test func `a path is cut in front of its first axis`() throws {
    let pattern = try #require(try TiffPattern("/data/run 1/{c}/t{t}.tif"))
    #expect(pattern.folder == "/data/run 1")
    #expect(pattern.text == "{c}/t{t}.tif")
    #expect(pattern.axes == ["c", "t"])
    #expect(try TiffPattern("{t}.tif")?.folder == ".")
    #expect(try TiffPattern("/{t}.tif")?.folder == "/")
  }

  @Test(arguments: ["t{t", "plain.tif", "t}.tif"])
  func `a path without axes is none`(path: String) throws {
    #expect(try TiffPattern(path) == nil)
  }

  @Test(arguments: ["{t}{c}.tif", "{t}_{t}.tif", "{q}.tif", "{t}/a.tif", "{}.tif", "{t}_{c"])
  func `a pattern that cannot be followed is refused`(path: String) {
    #expect(throws: Fault.self) { try TiffPattern(path) }
  }
}

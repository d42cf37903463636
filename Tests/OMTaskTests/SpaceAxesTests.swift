import OMGrid
import OMJSON
import OMTask
import Testing

@Suite struct SpaceAxesTests {
  private func image(_ axes: [String], units: [String?]? = nil) -> ImageInfo {
    ImageInfo(
      name: "a", axes: axes, levelShapes: [axes.map { _ in 8 }],
      levelScales: [axes.indices.map { Double($0 + 1) / 2 }], units: units, dataType: .uint8,
      channels: nil)
  }

  @Test func `one number is for all axes of space`() throws {
    let values = try image(["c", "z", "y", "x"]).alongSpace([3], named: "radius", flat: 0)
    #expect(values == (3, 3, 3))
    #expect(try image(["t", "y", "x"]).alongSpace([3], named: "radius", flat: 0) == (0, 3, 3))
  }

  @Test func `several numbers are in the order of the axes`() throws {
    #expect(try image(["z", "y", "x"]).alongSpace([1, 2, 3], named: "r", flat: 0) == (1, 2, 3))
    #expect(try image(["y", "x"]).alongSpace([2, 3], named: "r", flat: 0) == (0, 2, 3))
  }

  @Test func `too many numbers are refused with the axes of the image`() {
    let fault = #expect(throws: Fault.self) {
      try image(["y", "x"]).alongSpace([1, 2, 3], named: "radius", flat: 0)
    }
    #expect(fault?.message == "`radius` has 3 numbers, the image has the axes of space y, x")
  }

  @Test func `lengths are converted to micrometres`() throws {
    let info = image(["z", "y", "x"], units: ["nanometer", "micrometer", "millimeter"])
    let size = try info.micrometersAlongSpace()
    #expect(size == (0.0005, 1, 1500))
  }

  @Test(arguments: [nil, "second"] as [String?])
  func `an axis without a unit of length says so`(unit: String?) {
    #expect(throws: Fault.self) {
      try image(["y", "x"], units: ["micrometer", unit]).micrometersAlongSpace()
    }
  }
}

import OMJSON
import Testing

@testable import OMManifest

@Suite struct HaloSizeTests {
  @Test(arguments: [
    (16 as JSON, nil as String?, 16.0), ("radius", "radius", 1), ("4*sigma", "sigma", 4),
    ("0.5*width", "width", 0.5),
  ])
  func `a halo is a number or a multiple of a parameter`(
    json: JSON, parameter: String?, factor: Double
  ) throws {
    let size = try #require(HaloSize(json))
    #expect(size.parameter == parameter && size.factor == factor)
  }

  @Test(arguments: [-1, 1.5, "", "4*", "*x", "a*b", "4*a*b", "Radius", true, .null] as [JSON])
  func `anything else is none`(json: JSON) {
    #expect(HaloSize(json) == nil)
  }
}

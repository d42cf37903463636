import OMManifest
import Testing

@Suite struct NearestNameTests {
  private static let names = ["threshold", "method", "min_size", "max_size", "overwrite"]

  @Test(arguments: [
    ("treshold", "threshold"), ("thresohld", "threshold"), ("MIN-SIZE", "min_size"),
    ("min-sze", "min_size"), ("over", "overwrite"), ("metod", "method"), ("maxsize", "max_size"),
  ])
  func `a mistyped name finds the one that was meant`(typed: String, meant: String) {
    #expect(nearestName(typed, in: Self.names) == meant)
  }

  @Test(arguments: ["", "m", "zarr", "completely-else"])
  func `a name that is far from all finds none`(typed: String) {
    #expect(nearestName(typed, in: Self.names) == nil)
  }
}

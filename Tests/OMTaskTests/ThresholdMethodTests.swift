import Glibc
import OMGrid
import OMJSON
import OMTask
import Testing

@Suite struct ThresholdMethodTests {
  @Test(arguments: try OracleCase.all())
  func `thresholds are those of scikit-image to the last bit`(oracle: OracleCase) throws {
    var collected = Collected(oracle.image)
    for (method, expected) in oracle.thresholds where !oracle.isApproximate(method) {
      let found = try collected.threshold(by: method)
      #expect(found?.bitPattern == expected?.bitPattern, "\(method): \(found) not \(expected)")
    }
  }

  @Test(arguments: try OracleCase.all().filter(\.image.dataType.isFloat))
  func `li and mean of real numbers are close to scikit-image`(oracle: OracleCase) throws {
    var collected = Collected(oracle.image)
    for (method, expected) in oracle.thresholds where oracle.isApproximate(method) {
      let found = try collected.threshold(by: method)
      let (value, reference) = (try #require(found), try #require(expected))
      let difference = abs(value - reference)
      #expect(difference <= oracle.tolerance(method), "\(method): \(value), not \(reference)")
    }
  }
}

/// One line of `Fixtures/thresholds.json`.
struct OracleCase: Sendable, CustomTestStringConvertible {
  let image: SyntheticImage
  /// What scikit-image answers, nil where it raises an error.
  let thresholds: [(method: ThresholdMethod, value: Double?)]

  var testDescription: String { image.testDescription }

  /// All images of the fixture.
  static func all() throws -> [OracleCase] {
    let folder = "\(#filePath)".split(separator: "/").dropLast().joined(separator: "/")
    let bytes = try contents(of: "/\(folder)/Fixtures/thresholds.json")
    let document = try JSON(parsing: bytes, subject: "thresholds.json")
    return (document.arrayValue ?? []).compactMap { OracleCase($0.arrayValue ?? []) }
  }

  private init?(_ line: [JSON]) {
    guard let image = SyntheticImage(line) else { return nil }
    self.image = image
    let methods: [ThresholdMethod] = [.otsu, .li, .triangle, .yen, .isodata, .mean, .minimum]
    thresholds = zip(methods, line.dropFirst(6)).compactMap { method, entry in
      if entry == "-" { return nil }
      let bits = entry.stringValue.flatMap { UInt64($0, radix: 16) }
      return (method, bits.map(Double.init(bitPattern:)))
    }
  }

  /// Whether the method is of exactness class T on this image.
  func isApproximate(_ method: ThresholdMethod) -> Bool {
    image.dataType.isFloat && (method == .li || method == .mean)
  }

  /// The rounding of NumPy's sums in the image's type; for Li the width of a bin as well.
  func tolerance(_ method: ThresholdMethod) -> Double {
    let largest = max(abs(image.low), abs(image.low + image.span))
    let rounding = largest * (image.dataType == .float32 ? 0x1p-22 : 0x1p-51)
    return method == .li ? rounding + image.span / 65_536 : rounding
  }
}

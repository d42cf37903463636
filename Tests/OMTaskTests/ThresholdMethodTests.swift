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

  @Test(arguments: ThresholdMethod.allCases)
  func `no voxel is no threshold`(method: ThresholdMethod) throws {
    let empty = VoxelStatistics(need: .histogram, dataType: .uint8)
    expectFault(.task, "there are no voxels to choose a threshold from") {
      () throws(Fault) in try method.threshold(of: empty)
    }
  }

  @Test func `an image without two peaks says so`() throws {
    let statistics = try statistics(of: SyntheticImage(.uint8, "ramp", span: 9), for: .histogram)
    expectFault(.task, "`minimum` finds no threshold: the histogram from 0 to 8 has no two peaks") {
      () throws(Fault) in try ThresholdMethod.minimum.threshold(of: statistics)
    }
  }

  @Test func `a constant image without a threshold says so`() throws {
    let image = SyntheticImage(.float32, "constant", low: 0.1)
    let statistics = try statistics(of: image, for: .histogram)
    expectFault(.task, "`isodata` finds no threshold: all voxels are 0.1") {
      () throws(Fault) in try ThresholdMethod.isodata.threshold(of: statistics)
    }
  }

  @Test func `statistics for one method are refused by another`() throws {
    let sums = try statistics(of: SyntheticImage(.int32), for: .sum)
    expectFault(.internal, "`otsu` does not choose from sum statistics") {
      () throws(Fault) in try ThresholdMethod.otsu.threshold(of: sums)
    }
    let survey = VoxelStatistics(need: .histogram, dataType: .int32)
    #expect(survey.needsSecondPass)
    #expect(ThresholdMethod.fixed.need == nil)
  }

  @Test(arguments: [DataType.uint64, .int64])
  func `64-bit images have the thresholds of 16-bit images`(dataType: DataType) throws {
    for method in ThresholdMethod.allCases where method != .fixed {
      var wide = Collected(SyntheticImage(dataType, "two peaks", low: 50, span: 700))
      var narrow = Collected(SyntheticImage(.uint16, "two peaks", low: 50, span: 700))
      #expect(try wide.threshold(by: method) == narrow.threshold(by: method))
    }
  }

  @Test func `half-precision images have the thresholds of single-precision images`() throws {
    let half = SyntheticImage(.float16, "dark with spots", low: -3, span: 9)
    let voxels = half.bytes.withUnsafeBytes { $0.bindMemory(to: Float16.self).map { Float($0) } }
    for method in ThresholdMethod.allCases {
      guard let need = method.need else { continue }
      var single = VoxelStatistics(need: need, dataType: .float32)
      #expect(single.add(voxels) == nil)
      if single.needsSecondPass {
        single = try VoxelStatistics(counting: single)
        #expect(single.add(voxels) == nil)
      }
      let expected = try? method.threshold(of: single)
      let found = try? method.threshold(of: statistics(of: half, for: need))
      #expect(found == expected)
    }
  }
}

/// Expects a fault of this kind with this message.
private func expectFault<Value>(
  _ kind: FaultKind, _ message: String, at place: SourceLocation = #_sourceLocation,
  _ body: () throws(Fault) -> Value
) {
  let fault = #expect(throws: Fault.self, sourceLocation: place) { try body() }
  #expect(fault?.kind == kind, sourceLocation: place)
  #expect(fault?.message == message, sourceLocation: place)
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

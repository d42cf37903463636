import OMGrid
import OMJSON
import OMTask
import Testing

@Suite struct FiltersOracleTests {
  @Test(arguments: try FilterCase.all())
  func `filters are those of SciPy to the last bit`(oracle: FilterCase) throws {
    let found = try oracle.volume.filtered(by: oracle.kernel, to: oracle.output)
    #expect(hexadecimal(sha256(found)) == oracle.digest)
  }

  @Test(arguments: try FilterCase.all())
  func `filters do not depend on how the volume is cut`(oracle: FilterCase) throws {
    var random = CutGenerator(state: UInt64(oracle.image.seed))
    let shape = oracle.volume.shape
    for _ in 0..<3 {
      let tiles = Vector3(
        .random(in: 1...shape.z, using: &random), .random(in: 1...shape.y, using: &random),
        .random(in: 1...shape.x, using: &random))
      let found = try oracle.volume.filtered(by: oracle.kernel, to: oracle.output, tiles: tiles)
      #expect(hexadecimal(sha256(found)) == oracle.digest, "tiles of \(tiles)")
    }
  }
}

/// One line of `Fixtures/filters.json`.
struct FilterCase: Sendable, CustomTestStringConvertible {
  let image: SyntheticImage
  let volume: FilterVolume
  let output: DataType
  let kernel: any TileKernel
  let digest: String
  let testDescription: String

  /// All cases of the fixture.
  static func all() throws -> [FilterCase] {
    let folder = "\(#filePath)".split(separator: "/").dropLast().joined(separator: "/")
    let bytes = try contents(of: "/\(folder)/Fixtures/filters.json")
    let document = try JSON(parsing: bytes, subject: "filters.json")
    return try (document.arrayValue ?? []).map { try #require(FilterCase($0.arrayValue ?? [])) }
  }

  private init?(_ line: [JSON]) {
    guard line.count >= 10, let shape = line[4].vector,
      let output = line[6].stringValue.flatMap(DataType.init(rawValue:)),
      let kernel = Self.kernel(line), let digest = line.last?.stringValue,
      let image = SyntheticImage(
        line[..<4] + [.number(String(shape.z * shape.y * shape.x)), line[5]])
    else { return nil }
    self.image = image
    volume = FilterVolume(image, shape)
    self.output = output
    self.kernel = kernel
    self.digest = digest
    testDescription =
      "\(image) \(shape) to \(output): \(line[7...].dropLast().map { $0.stringValue ?? "\($0)" })"
  }

  private static func kernel(_ line: [JSON]) -> (any TileKernel)? {
    guard let border = line[7].stringValue.flatMap(FilterBorder.init(rawValue:)) else { return nil }
    switch line[8].stringValue {
    case "gaussian":
      guard line.count >= 13, let sigma = line[9].arrayValue?.compactMap(\.doubleValue),
        sigma.count == 3, let kind = line[10].stringValue.flatMap(GaussianKernel.Kind.init),
        let rounding = line[11].stringValue.flatMap(VoxelRounding.init)
      else { return nil }
      return GaussianKernel(
        sigma: (sigma[0], sigma[1], sigma[2]), border: border, kind: kind, rounding: rounding)
    case "median":
      guard let radius = line[9].vector,
        let footprint = line[10].stringValue.flatMap(FilterFootprint.init)
      else { return nil }
      return MedianKernel(radius: radius, footprint: footprint, border: border)
    default: return nil
    }
  }
}

extension JSON {
  /// Three whole numbers.
  fileprivate var vector: Vector3? {
    guard let numbers = arrayValue?.compactMap(\.intValue), numbers.count == 3 else { return nil }
    return Vector3(numbers[0], numbers[1], numbers[2])
  }
}

/// The same cuts in every run.
private struct CutGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}

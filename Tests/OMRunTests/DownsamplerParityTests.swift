import OMGrid
import OMJSON
import OMStore
import OMTask
import Testing

@testable import OMRun

@Suite struct DownsamplerParityTests {
  @Test(arguments: try PeerLevel.all(), Downsampling.allCases)
  func `levels are those of tensorstore to the last bit`(
    level: PeerLevel, method: Downsampling
  ) throws {
    let expected = try #require(level.coarse[method])
    let made = level.step.make(method, level.fine)
    #expect(made.withOneNaN == expected.withOneNaN, "\(made.numbers) not \(expected.numbers)")
  }

  @Test func `all types are compared`() throws {
    let types = try PeerLevel.all().map(\.fine.dataType)
    #expect(Set(types) == Set(DataType.allCases))
    #expect(types.count == 4 * DataType.allCases.count)
  }
}

/// One line of `Fixtures/downsampled.json`, which `Fixtures/make_downsampled.py` writes.
struct PeerLevel: Sendable, CustomTestStringConvertible {
  let step: LevelStep
  let fine: Voxels
  let coarse: [Downsampling: Voxels]

  var testDescription: String { "\(fine.dataType) \(step.testDescription)" }

  static func all() throws -> [PeerLevel] {
    let folder = "\(#filePath)".split(separator: "/").dropLast().joined(separator: "/")
    let store = try FileStore(root: "/\(folder)/Fixtures")
    let bytes = try #require(try store.get("downsampled.json", limit: 1 << 20))
    let document = try JSON(parsing: bytes, subject: "downsampled.json")
    return try (document.arrayValue ?? []).map { try #require(PeerLevel($0)) }
  }

  private init?(_ line: JSON) {
    func numbers(_ name: String) -> [Int] { line[name]?.arrayValue?.compactMap(\.intValue) ?? [] }
    guard let type = line["type"]?.stringValue.flatMap(DataType.init(rawValue:)) else { return nil }
    func voxels(_ name: String) -> Voxels? {
      line[name]?.stringValue.map { Voxels(type, bytes: bytes(fromHexadecimal: $0)) }
    }
    guard let fine = voxels("voxels") else { return nil }
    self.fine = fine
    step = LevelStep(numbers("shape"), factors: numbers("factors"))
    coarse = Dictionary(
      uniqueKeysWithValues: Downsampling.allCases.compactMap { method in
        voxels(method.rawValue).map { (method, $0) }
      })
  }
}

/// The bytes of pairs of hexadecimal digits.
private func bytes(fromHexadecimal text: String) -> [UInt8] {
  let digits = text.utf8.map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

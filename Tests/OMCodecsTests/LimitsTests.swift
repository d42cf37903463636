import OMJSON
import Testing

@testable import OMCodecs

@Suite struct CodecLimitsTests {
  private func expectLimit(_ name: String, _ work: () throws(Fault) -> Void) {
    do throws(Fault) {
      try work()
      Issue.record("nothing was refused")
    } catch {
      #expect(error.kind == .limit)
      #expect(error.hint?.contains("--limit \(name)=") == true, "\(error.hint ?? "no hint")")
    }
  }

  @Test func `arrays have at most 32 axes`() throws {
    let rules = ShapeRules(subject: "a")
    let ones = { (count: Int) in JSON.array(Array(repeating: 1, count: count)) }
    #expect(try rules.sizes(ones(32), "shape", atLeast: 0).count == 32)
    expectLimit("axes") { () throws(Fault) in _ = try rules.sizes(ones(33), "shape", atLeast: 0) }
    var more = Limits()
    more.axes = 33
    #expect(
      try ShapeRules(subject: "a", limits: more).sizes(ones(33), "shape", atLeast: 0).count == 33)
  }

  @Test func `a decoded chunk has at most 2 GiB`() throws {
    let rules = ShapeRules(subject: "a")
    try rules.chunk([1 << 10, 1 << 20], elementByteCount: 2)
    expectLimit("chunk") { () throws(Fault) in
      try rules.chunk([(1 << 30) + 1], elementByteCount: 2)
    }
    expectLimit("chunk") { () throws(Fault) in
      try rules.chunk([1 << 62, 1 << 62], elementByteCount: 2)
    }
  }

  @Test func `the index of a shard has at most 256 MiB`() throws {
    let rules = ShapeRules(subject: "a")
    try rules.index(1 << 24, elementByteCount: 16, "the index of")
    expectLimit("shard-index") { () throws(Fault) in
      try rules.index((1 << 24) + 1, elementByteCount: 16, "the index of")
    }
  }

  /// A frame with a window descriptor and one raw block of two bytes.
  private func frame(exponent: UInt8, mantissa: UInt8) -> [UInt8] {
    [0x28, 0xB5, 0x2F, 0xFD, 0, exponent << 3 | mantissa, 2 << 3 | 1, 0, 0, 1, 2]
  }

  @Test func `a zstd window has at most 128 MiB`() throws {
    let codec = ZstdCodec(level: 1)
    let decode = { (bytes: [UInt8]) throws(Fault) -> Int in
      var target: [UInt8] = [0, 0]
      var fault: Fault?
      let count = bytes.withUnsafeBytes { encoded in
        target.withUnsafeMutableBytes { room in
          do throws(Fault) {
            return try codec.decode(encoded, into: room, using: CodecContext()).count
          } catch {
            fault = error
            return 0
          }
        }
      }
      if let fault { throw fault }
      return count
    }
    #expect(try decode(frame(exponent: 17, mantissa: 0)) == 2)
    expectLimit("zstd-window") { () throws(Fault) in
      _ = try decode(frame(exponent: 17, mantissa: 1))
    }
    expectLimit("zstd-window") { () throws(Fault) in
      _ = try decode(frame(exponent: 31, mantissa: 7))
    }
  }
}

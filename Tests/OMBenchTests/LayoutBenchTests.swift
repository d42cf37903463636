import Glibc
import OMCodecs
import OMGrid
import OMJSON
import OMRun
import Testing

@testable import OMBench

@Suite struct LayoutBenchTests {
  @Test func `the same size always gives the same voxels`() {
    let volume = BenchVolume(byteCount: 1 << 20)
    #expect(volume.shape == [64, 128, 64])
    #expect(volume.bytes == BenchVolume(generated: volume.shape).bytes)
    let values = volume.bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) }
    // A dark ground with noise, and bodies on it.
    #expect(median(values.map(Double.init)) < 250)
    #expect(Double(values.filter { $0 > 400 }.count) / Double(values.count) > 0.05)
  }

  @Test func `every chunk shape and every codec is tried once with the first of the others`() {
    let chunks = [[64, 64, 64], [1, 512, 512]]
    let codecs: [BenchCodec] = [.zstd, .gzip]
    let star = LayoutChoice.choices(
      chunks: chunks, shards: [false, true], codecs: codecs, all: false)
    #expect(star.count == 5)
    #expect(
      LayoutChoice.choices(chunks: chunks, shards: [false, true], codecs: codecs, all: true).count
        == 8)
  }

  @Test func `shards are made of whole chunks, at least eight where there are as many`() {
    let choice = LayoutChoice(chunk: [64, 64, 64], isSharded: true, codec: .zstd)
    #expect(choice.shard(in: [64, 256, 256]) == [64, 128, 64])
    #expect(choice.shard(in: [1024, 1024, 1024]) == [256, 256, 256])
    #expect(choice.chunk(in: [8, 256, 256]) == [8, 64, 64])
  }

  @Test(arguments: BenchCodec.allCases)
  func `what is written is read again in every way`(codec: BenchCodec) throws {
    let path = try temporaryFolder()
    defer { rmdir(path) }
    let bench = LayoutBench(
      volume: BenchVolume(generated: [20, 70, 90]), threads: 2, folder: path, patience: 0,
      stop: StopSwitch())
    for sharded in [false, true] {
      let result = try bench.run(
        LayoutChoice(chunk: [16, 32, 32], isSharded: sharded, codec: codec))
      #expect(result.repeats == 1)
      #expect(result.files <= 2 * 3 * 3 && (sharded || result.files == 2 * 3 * 3))
      #expect(BenchAccess.allCases.allSatisfy { result.rate($0) > 0 })
    }
  }

  @Test func `a benchmark that is stopped ends with the stop`() throws {
    let path = try temporaryFolder()
    defer { rmdir(path) }
    let stop = StopSwitch()
    stop.request(.signal(2))
    let bench = LayoutBench(
      volume: BenchVolume(generated: [16, 16, 16]), threads: 1, folder: path, patience: 0,
      stop: stop)
    #expect(throws: Fault.self) {
      try bench.run(LayoutChoice(chunk: [16, 16, 16], isSharded: false, codec: .none))
    }
    // Nothing is left in the folder.
    #expect(rmdir(path) == 0)
  }

  private func temporaryFolder() throws -> String {
    var template = Array("/tmp/ombench-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

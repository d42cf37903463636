import OMCodecs
import OMGrid
import OMJSON
import Testing

/// What we write is what we read, and what the written metadata say.
struct RoundTripTests {
  static let compressions: [Compression] = [
    .none, .zstd(level: 3), .zstd(level: -5), .gzip(level: 1), .gzip(level: 9), .zlib(level: 6),
    .blosc(BloscOptions(compressor: "lz4", level: 5, shuffle: .byte)),
    .blosc(BloscOptions(compressor: "lz4hc", level: 9, shuffle: .none)),
    .blosc(BloscOptions(compressor: "zstd", level: 1, shuffle: .bit)),
    .blosc(BloscOptions(compressor: "zlib", level: 3, shuffle: .automatic)),
    .blosc(BloscOptions(compressor: "blosclz", level: 5, shuffle: .byte, blockSize: 4096)),
  ]

  @Test(arguments: compressions, DataType.allCases)
  func `v3 chunks come back`(compression: Compression, dataType: DataType) throws {
    let voxels = voxels(dataType)
    let stored = try encoded(voxels, compression.available(inFormat: 3), dataType)
    let pipeline = try pipeline(
      compression.v3Codecs(dataType), chunkShape: [16, 16, 16], dataType)
    #expect(try pipeline.decoded(stored) == voxels)
  }

  @Test(arguments: compressions, DataType.allCases)
  func `v2 chunks come back`(compression: Compression, dataType: DataType) throws {
    let voxels = voxels(dataType)
    let stored = try encoded(voxels, compression, dataType)
    let pipeline = try pipeline(
      compressor: compression.v2Compressor(), chunkShape: [16, 16, 16], dataType)
    #expect(try pipeline.decoded(stored) == voxels)
    #expect(pipeline.compression == compression)
  }

  @Test func `noise that cannot be compressed comes back`() throws {
    var random = SystemRandomNumberGenerator()
    let noise = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
    for compression in Self.compressions {
      let stored = try encoded(noise, compression, .uint8)
      let pipeline = try pipeline(
        compressor: compression.v2Compressor(), chunkShape: [16, 16, 16], .uint8)
      #expect(try pipeline.decoded(stored) == noise)
    }
  }

  @Test func `equal voxels give equal bytes, also from a used context`() throws {
    let voxels = voxels(.uint16)
    for compression in Self.compressions {
      let context = CodecContext()
      let first = try encoded(voxels, compression, .uint16, context)
      _ = try encoded(Array(voxels.reversed()), compression, .uint16, context)
      #expect(try encoded(voxels, compression, .uint16, context) == first)
    }
  }

  @Test func `a compressor that blosc lacks is named`() throws {
    let snappy = Compression.blosc(BloscOptions(compressor: "snapy", level: 1, shuffle: .none))
    expectFault(.unsupported, "`snapy`") {
      try encoded(voxels(.uint8), snappy, .uint8)
    }
  }

  private func voxels(_ dataType: DataType) -> [UInt8] {
    let count = 4096 * dataType.byteCount
    if dataType == .bool { return (0..<count).map { UInt8($0 / 7 % 2) } }
    return (0..<count).map { UInt8(truncatingIfNeeded: $0 / 5 ^ $0 >> 3) }
  }

  private func encoded(
    _ voxels: [UInt8], _ compression: Compression, _ dataType: DataType,
    _ context: CodecContext = CodecContext()
  ) throws -> [UInt8] {
    let encoder = ChunkEncoder(compression, chunkShape: [16, 16, 16], dataType: dataType)
    let output = ByteBuffer()
    try voxels.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      let count = try encoder.encode(start, onto: output, using: context)
      #expect(count == output.count)
    }
    return Array(output.bytes)
  }
}

import OMCodecs
import OMGrid
import OMJSON

extension FuzzTarget {
  /// One target for each codec: a byte that chooses a chunk, then its stored bytes.
  static let codecs: [FuzzTarget] = [
    codec("blosc", v3: ["name": "blosc"], v2: ["id": "blosc"]),
    codec("zstd", v3: ["name": "zstd"], v2: ["id": "zstd"]),
    codec("deflate", v3: ["name": "gzip"], v2: ["id": "zlib"]),
    codec("lz4", v3: ["name": "numcodecs.lz4"], v2: ["id": "lz4"]),
  ]

  private static func codec(_ name: String, v3: JSON, v2: JSON) -> FuzzTarget {
    FuzzTarget(name, refusals: [.codec, .checksum, .truncated, .limit]) { bytes in
      var input = FuzzInput(bytes)
      let choice = input.byte()
      let kind = ChunkKind(choice)
      let pipeline = try choice & 0x40 == 0 ? kind.pipeline(v3: v3) : kind.pipeline(v2: v2)
      let context = CodecContext()
      if choice & 0x80 != 0 {
        try checkEncoding(padded(input.remaining, pipeline.decodedByteCount), pipeline, context)
      } else {
        try checkDecoding(input.remaining, pipeline, context)
      }
    }
  }
}

/// A size and a type, chosen by six bits.
private struct ChunkKind {
  let shape: [Int]
  let dataType: DataType

  init(_ choice: UInt8) {
    shape = [[1], [7], [64], [512], [1000], [4096], [16, 3, 11], [30_000]][Int(choice & 7)]
    let types: [DataType] = [.uint8, .uint16, .int32, .float64, .bool, .float16, .uint64, .int8]
    dataType = types[Int(choice >> 3 & 7)]
  }

  func pipeline(v3 codec: JSON) throws -> CodecPipeline {
    let bytes: JSON = ["name": "bytes", "configuration": ["endian": "little"]]
    let chain = try CodecChain(v3: [bytes, codec], key: "codecs", subject: "zarr.json")
    return try CodecPipeline(
      v3: chain, chunkShape: shape, dataType: dataType,
      fillValue: Array(repeating: 0, count: dataType.byteCount))
  }

  /// Big-endian and column-major, so that there is work after the codec.
  func pipeline(v2 compressor: JSON) throws -> CodecPipeline {
    try CodecPipeline(
      v2: compressor, isColumnMajor: true, byteOrder: .big, chunkShape: shape, dataType: dataType,
      subject: ".zarray")
  }
}

/// Exactly `count` bytes: the input, cut or repeated.
private func padded(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> [UInt8] {
  if bytes.isEmpty { return Array(repeating: 0, count: count) }
  return (0..<count).map { bytes[$0 % bytes.count] }
}

/// Decodes foreign bytes; what they hold can be written and read again, and their worker works on.
func checkDecoding(
  _ encoded: UnsafeRawBufferPointer, _ pipeline: CodecPipeline, _ context: CodecContext
) throws {
  let memory = GuardedMemory(byteCount: pipeline.decodedByteCount)
  defer { withExtendedLifetime(context) {} }
  var refusal: Fault?
  if let start = memory.bytes.baseAddress {
    do throws(Fault) {
      try pipeline.decode(encoded, into: start, using: context)
    } catch {
      refusal = error
    }
  }
  try promise(memory.isIntact, "a write beside the chunk")
  let voxels =
    refusal == nil ? Array(memory.bytes) : Array(repeating: 1, count: pipeline.decodedByteCount)
  try checkEncoding(voxels, pipeline, context)
  if let refusal { throw refusal }
}

/// Writes voxels as arrays like this one are written, and reads them again.
func checkEncoding(
  _ voxels: [UInt8], _ pipeline: CodecPipeline, _ context: CodecContext
) throws {
  let compression = pipeline.compression.available(inFormat: 3)
  let writer = ChunkEncoder(
    compression, chunkShape: pipeline.chunkShape, dataType: pipeline.dataType)
  let output = ByteBuffer()
  let count = try voxels.withUnsafeBytes { bytes in
    guard let start = bytes.baseAddress else { return 0 }
    return try writer.encode(start, onto: output, using: context)
  }
  try promise(count == output.count, "\(output.count) bytes were written, not \(count)")
  let chain = try CodecChain(
    v3: compression.v3Codecs(pipeline.dataType), key: "codecs", subject: "zarr.json")
  let reader = try CodecPipeline(
    v3: chain, chunkShape: pipeline.chunkShape, dataType: pipeline.dataType,
    fillValue: Array(repeating: 0, count: pipeline.dataType.byteCount))
  try promise(
    output.count <= reader.maximumEncodedByteCount, "a chunk that a reader refuses for its size")
  let memory = GuardedMemory(byteCount: voxels.count)
  if let start = memory.bytes.baseAddress {
    do {
      try reader.decode(output.bytes, into: start, using: context)
    } catch {
      throw BrokenPromise(text: "what was written is refused: \(error)")
    }
  }
  // Truth values are stored as they are given, and read as 0 and 1.
  let expected = pipeline.dataType == .bool ? voxels.map { $0 == 0 ? 0 : 1 } : voxels
  try promise(memory.bytes.elementsEqual(expected), "what was written reads as something else")
  try promise(memory.isIntact, "a write beside the chunk")
}

import OMCodecs
import OMGrid
import OMJSON
import Testing

/// The pipeline of a v3 codec list.
func pipeline(
  _ codecs: JSON, chunkShape: [Int] = [512], _ dataType: DataType = .uint16
) throws -> CodecPipeline {
  let chain = try CodecChain(v3: codecs, key: "codecs", subject: "zarr.json")
  return try CodecPipeline(
    v3: chain, chunkShape: chunkShape, dataType: dataType,
    fillValue: Array(repeating: 0, count: dataType.byteCount))
}

/// The pipeline of a v2 compressor.
func pipeline(
  compressor: JSON, isColumnMajor: Bool = false, byteOrder: ByteOrder = .little,
  chunkShape: [Int] = [512], _ dataType: DataType = .uint16
) throws -> CodecPipeline {
  try CodecPipeline(
    v2: compressor, isColumnMajor: isColumnMajor, byteOrder: byteOrder, chunkShape: chunkShape,
    dataType: dataType, subject: ".zarray")
}

extension CodecPipeline {
  /// The decoded bytes of a chunk.
  func decoded(_ stored: [UInt8], using context: CodecContext = CodecContext()) throws
    -> [UInt8]
  {
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: decodedByteCount, alignment: 16)
    defer { target.deallocate() }
    target.initializeMemory(as: UInt8.self, repeating: 0xA5)
    try stored.withUnsafeBytes { bytes in
      guard let start = target.baseAddress else { return }
      try decode(bytes, into: start, using: context)
    }
    return Array(target)
  }
}

/// The bytes of numbers as they lie in memory.
func rawBytes<Number>(_ numbers: [Number]) -> [UInt8] {
  numbers.withUnsafeBytes { Array($0) }
}

/// Expects a fault of this kind whose message holds these words.
func expectFault<Value>(
  _ kind: FaultKind, _ words: String, at place: SourceLocation = #_sourceLocation,
  _ body: () throws -> Value
) {
  do {
    let value = try body()
    Issue.record("no fault, but \(value)", sourceLocation: place)
  } catch let fault as Fault {
    #expect(fault.kind == kind, "\(fault)", sourceLocation: place)
    #expect(fault.message.contains(words), "\(fault)", sourceLocation: place)
  } catch {
    Issue.record(error, sourceLocation: place)
  }
}

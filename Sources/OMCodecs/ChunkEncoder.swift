package import OMGrid
package import OMJSON

/// Encodes the chunks of an array that is written: little-endian, C order, one compressor.
package struct ChunkEncoder: Sendable {
  /// The number of bytes of one chunk of voxels.
  package let decodedByteCount: Int
  private let encoder: (any ByteEncoder)?
  private let elementByteCount: Int
  private let isForeignByteOrder: Bool

  /// Makes the encoder of chunks of this shape.
  package init(_ compression: Compression, chunkShape: [Int], dataType: DataType) {
    encoder = compression.encoder(dataType)
    elementByteCount = dataType.byteCount
    decodedByteCount = chunkShape.reduce(elementByteCount, *)
    isForeignByteOrder = ByteOrder.little.isForeign
  }

  /// Encodes a chunk and appends it.
  ///
  /// - Parameters:
  ///   - voxels: The full chunk in C order, in the byte order of this machine.
  ///   - output: Where the encoded bytes go, behind what is there.
  ///   - context: The context of the calling thread.
  /// - Returns: The number of bytes appended.
  /// - Throws: `unsupported` when the library lacks the compressor, `internal` otherwise.
  package func encode(
    _ voxels: UnsafeRawPointer, onto output: ByteBuffer, using context: CodecContext
  ) throws(Fault) -> Int {
    var bytes = UnsafeRawBufferPointer(start: voxels, count: decodedByteCount)
    if isForeignByteOrder {
      let copy = context.scratch(byteCount: decodedByteCount)
      copy.copyMemory(from: bytes)
      ByteOrder.swap(copy, elementByteCount: elementByteCount)
      bytes = UnsafeRawBufferPointer(copy)
    }
    guard let encoder else {
      output.append(bytes)
      return bytes.count
    }
    let room = output.room(for: encoder.maximumEncodedByteCount(of: bytes.count))
    let count = try encoder.encode(bytes, into: room, using: context)
    output.use(count)
    return count
  }
}

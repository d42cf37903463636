package import OMGrid
package import OMJSON

/// Everything that happens to the bytes of one chunk between the store and the voxels.
///
/// A shard is not a chunk: its inner chunks have a pipeline, its index is a `ShardIndexCodec`.
package struct CodecPipeline: Sendable {
  /// The shape of the chunk in array axes.
  package let chunkShape: [Int]
  /// The type of the voxels.
  package let dataType: DataType
  /// The number of bytes of a decoded chunk.
  package let decodedByteCount: Int
  /// What a writer uses to compress like the chunks that are read here.
  package let compression: Compression

  private let transposition: Transposition?
  private let isForeignByteOrder: Bool
  private let byteCodecs: [any ByteCodec]

  /// Reads the codecs of a v3 array, or of the inner chunks of its shards.
  ///
  /// - Parameters:
  ///   - chain: The codec list; its serializer must be `bytes`.
  ///   - chunkShape: The shape of the chunk in array axes, with a product that was checked.
  ///   - dataType: The type of the voxels.
  /// - Throws: `unsupported` for an unknown codec, `metadata` for a wrong configuration.
  package init(v3 chain: CodecChain, chunkShape: [Int], dataType: DataType) throws(Fault) {
    guard chain.serializer.name == "bytes" else {
      throw Fault(
        .unsupported, chain.subject,
        "`\(chain.serializer.place)` is `\(chain.serializer.name)`: shards inside shards are not"
          + " supported")
    }
    let byteOrder = try ByteOrder(chain.serializer, elementByteCount: dataType.byteCount)
    let order = try chain.axisOrder(rank: chunkShape.count)
    var codecs: [any ByteCodec] = []
    for settings in chain.byteCodecs {
      codecs.append(try CodecRegistry.codec(settings, from: CodecRegistry.v3, role: "codec"))
    }
    self.init(chunkShape, dataType, order: order, byteOrder, codecs)
  }

  /// Reads the codecs of a v2 array.
  ///
  /// - Parameters:
  ///   - compressor: The member `compressor`; null for raw bytes.
  ///   - isColumnMajor: Whether the first axis varies fastest (order F).
  ///   - byteOrder: The byte order of the type.
  ///   - chunkShape: The shape of the chunk, with a product that was checked.
  ///   - dataType: The type of the voxels.
  ///   - subject: The document, for messages.
  /// - Throws: `unsupported` for an unknown compressor, `metadata` for a wrong configuration.
  package init(
    v2 compressor: JSON, isColumnMajor: Bool, byteOrder: ByteOrder, chunkShape: [Int],
    dataType: DataType, subject: String
  ) throws(Fault) {
    var codecs: [any ByteCodec] = []
    if compressor != .null {
      let settings = try CodecSettings(v2: compressor, subject: subject, place: "compressor")
      codecs.append(try CodecRegistry.codec(settings, from: CodecRegistry.v2, role: "compressor"))
    }
    let order = Array(chunkShape.indices)
    self.init(
      chunkShape, dataType, order: isColumnMajor ? order.reversed() : order, byteOrder, codecs)
  }

  private init(
    _ chunkShape: [Int], _ dataType: DataType, order: [Int], _ byteOrder: ByteOrder,
    _ byteCodecs: [any ByteCodec]
  ) {
    self.chunkShape = chunkShape
    self.dataType = dataType
    decodedByteCount = chunkShape.reduce(dataType.byteCount, *)
    compression = byteCodecs.lazy.compactMap(\.compression).first ?? .none
    transposition = Transposition(order: order, chunkShape: chunkShape)
    isForeignByteOrder = byteOrder.isForeign
    self.byteCodecs = byteCodecs
  }

  /// Decodes a chunk.
  ///
  /// - Parameters:
  ///   - encoded: The stored bytes of the chunk.
  ///   - voxels: Memory of `decodedByteCount` bytes; afterwards the full chunk in C order and in the
  ///     byte order of this machine.
  ///   - context: The context of the calling thread.
  /// - Throws: `truncated`, `checksum`, `limit` or `codec`, with an empty subject: the caller knows
  ///   the key.
  package func decode(
    _ encoded: UnsafeRawBufferPointer, into voxels: UnsafeMutableRawPointer,
    using context: CodecContext
  ) throws(Fault) {
    if encoded.isEmpty {
      throw Fault(
        .truncated, "", "the chunk is empty (0 bytes)",
        hint: "a full disk or a crash leaves empty files; restore it or write it again")
    }
    let target = UnsafeMutableRawBufferPointer(start: voxels, count: decodedByteCount)
    var bytes = encoded
    for (number, codec) in byteCodecs.enumerated().reversed() {
      bytes = try codec.decode(
        bytes, into: memory(after: number, target: target, context), using: context)
    }
    try checkCount(bytes.count)
    arrange(bytes, in: target)
  }

  /// Where a codec may write: the last one straight to the voxels when nothing is left to do then.
  private func memory(
    after number: Int, target: UnsafeMutableRawBufferPointer, _ context: CodecContext
  ) -> UnsafeMutableRawBufferPointer {
    if number > 0 {
      return context.scratch(byteCount: encodedByteLimit(decodedByteCount: decodedByteCount))
    }
    return transposition == nil ? target : context.scratch(byteCount: decodedByteCount)
  }

  private func checkCount(_ count: Int) throws(Fault) {
    if count == decodedByteCount { return }
    let isCutOff = byteCodecs.isEmpty && count < decodedByteCount
    throw Fault(
      isCutOff ? .truncated : .codec, "",
      "the chunk decodes to \(count) bytes, expected \(decodedByteCount)",
      facts: ["a chunk is \(chunkShape) voxels of type \(dataType.rawValue)"])
  }

  /// Brings decoded bytes into C order, into this machine's byte order, and `bool` to 0 and 1.
  private func arrange(
    _ bytes: UnsafeRawBufferPointer, in target: UnsafeMutableRawBufferPointer
  ) {
    guard let source = bytes.baseAddress, let start = target.baseAddress else { return }
    let width = dataType.byteCount
    if let transposition {
      transposition.restore(source, to: start, elementByteCount: width)
    } else if source != UnsafeRawPointer(start) {
      start.copyMemory(from: source, byteCount: decodedByteCount)
    }
    if isForeignByteOrder { ByteOrder.swap(target, elementByteCount: width) }
    if dataType == .bool {
      for index in target.indices { target[index] = target[index] == 0 ? 0 : 1 }
    }
  }
}

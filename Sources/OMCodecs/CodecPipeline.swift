package import OMGrid
package import OMJSON

/// Everything that happens to the bytes of one chunk between the store and the voxels.
///
/// The inner chunks of a shard have a pipeline each; a shard as a whole needs none.
package struct CodecPipeline: Sendable {
  /// The shape of the chunk in array axes.
  package let chunkShape: [Int]
  /// The type of the voxels.
  package let dataType: DataType
  /// The number of bytes of a decoded chunk.
  package let decodedByteCount: Int
  /// What a writer uses to compress like the chunks that are read here.
  package let compression: Compression
  /// The most bytes that are accepted for an encoded chunk: the limit `encoded-chunk`.
  ///
  /// Codecs add little to what they cannot compress; more is damage or an attack.
  package let maximumEncodedByteCount: Int
  /// The bytes of an encoded chunk where they are the same for every chunk; nil with a compressor.
  package let fixedByteCount: Int?

  private let serializer: Serializer
  private let byteCodecs: [any ByteCodec]

  /// What the bytes are behind all codecs from bytes to bytes.
  private indirect enum Serializer: Sendable {
    case voxels(Transposition?, ByteOrder)
    case shard(ShardCodec)

    var compression: Compression? {
      if case .shard(let shard) = self { shard.compression } else { nil }
    }
  }

  /// Reads the codecs of a v3 array, or of the inner chunks of its shards.
  ///
  /// - Parameters:
  ///   - chain: The codec list.
  ///   - chunkShape: The shape of the chunk in array axes, with a product that was checked.
  ///   - dataType: The type of the voxels.
  ///   - fillValue: One voxel of what is not stored, for a chunk that is a shard itself.
  /// - Throws: `unsupported` for an unknown codec, `metadata` for a wrong configuration.
  package init(
    v3 chain: CodecChain, chunkShape: [Int], dataType: DataType, fillValue: [UInt8]
  ) throws(Fault) {
    var codecs: [any ByteCodec] = []
    for settings in chain.byteCodecs {
      codecs.append(try CodecRegistry.codec(settings, from: CodecRegistry.v3, role: "codec"))
    }
    if chain.isSharded {
      let shard = try ShardCodec(
        chain, shardShape: chunkShape, dataType: dataType, fillValue: fillValue)
      self.init(chunkShape, dataType, .shard(shard), codecs)
    } else {
      let byteOrder = try ByteOrder(chain.serializer, elementByteCount: dataType.byteCount)
      let order = try chain.axisOrder(rank: chunkShape.count)
      let transposition = Transposition(order: order, chunkShape: chunkShape)
      self.init(chunkShape, dataType, .voxels(transposition, byteOrder), codecs)
    }
  }

  /// Reads the codecs of a v2 array.
  ///
  /// - Parameters:
  ///   - compressor: The member `compressor`; null for raw bytes.
  ///   - filters: The member `filters`, in the order in which a writer applies them; null for none.
  ///   - isColumnMajor: Whether the first axis varies fastest (order F).
  ///   - byteOrder: The byte order of the type.
  ///   - chunkShape: The shape of the chunk, with a product that was checked.
  ///   - dataType: The type of the voxels.
  ///   - subject: The document, for messages.
  /// - Throws: `unsupported` for an unknown compressor or filter, `metadata` for a wrong configuration.
  package init(
    v2 compressor: JSON, filters: JSON = .null, isColumnMajor: Bool, byteOrder: ByteOrder,
    chunkShape: [Int],
    dataType: DataType, subject: String
  ) throws(Fault) {
    var codecs = try CodecRegistry.filters(filters, subject: subject)
    if compressor != .null {
      let settings = try CodecSettings(v2: compressor, subject: subject, place: "compressor")
      codecs.append(try CodecRegistry.codec(settings, from: CodecRegistry.v2, role: "compressor"))
    }
    let order = Array(chunkShape.indices)
    let transposition = Transposition(
      order: isColumnMajor ? order.reversed() : order, chunkShape: chunkShape)
    self.init(chunkShape, dataType, .voxels(transposition, byteOrder), codecs)
  }

  private init(
    _ chunkShape: [Int], _ dataType: DataType, _ serializer: Serializer,
    _ byteCodecs: [any ByteCodec]
  ) {
    self.chunkShape = chunkShape
    self.dataType = dataType
    decodedByteCount = chunkShape.reduce(dataType.byteCount, *)
    compression =
      byteCodecs.lazy.compactMap(\.compression).first ?? serializer.compression ?? .none
    self.serializer = serializer
    self.byteCodecs = byteCodecs
    var indexes = 0
    if case .shard(let shard) = serializer { indexes = shard.indexByteCount }
    // A filter may store wider numbers than it gives back.
    var (count, widest): (Int?, Int) = (decodedByteCount, decodedByteCount)
    if case .shard = serializer { count = nil }
    for codec in byteCodecs {
      count = count.flatMap { codec.encodedByteCount(of: $0) }
      widest = max(widest, count ?? 0)
    }
    fixedByteCount = count
    let factor = Limits.current.encodedChunk
    maximumEncodedByteCount = Int(Double(widest) * factor) + 65_536 + indexes
  }

  /// The shape of the inner chunks, in array axes, of a chunk that is a shard; nil for any other.
  package var shardedChunkShape: [Int]? {
    if case .shard(let shard) = serializer { shard.innerChunkShape } else { nil }
  }

  /// The bytes of indexes in a chunk that is a shard.
  var shardIndexByteCount: Int {
    if case .shard(let shard) = serializer { shard.indexByteCount } else { 0 }
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
    switch serializer {
    case .shard(let shard): try shard.decode(bytes, into: voxels, using: context)
    case .voxels(let transposition, let byteOrder):
      try checkCount(bytes.count)
      arrange(bytes, in: target, transposition, byteOrder)
    }
  }

  /// Where a codec may write: the last one straight to the voxels when nothing is left to do then.
  private func memory(
    after number: Int, target: UnsafeMutableRawBufferPointer, _ context: CodecContext
  ) -> UnsafeMutableRawBufferPointer {
    guard number == 0, case .voxels(let transposition, _) = serializer else {
      return context.scratch(byteCount: maximumEncodedByteCount)
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
    _ bytes: UnsafeRawBufferPointer, in target: UnsafeMutableRawBufferPointer,
    _ transposition: Transposition?, _ byteOrder: ByteOrder
  ) {
    guard let source = bytes.baseAddress, let start = target.baseAddress else { return }
    if let transposition {
      transposition.restore(source, to: start, elementByteCount: dataType.byteCount)
    } else if source != UnsafeRawPointer(start) {
      start.copyMemory(from: source, byteCount: decodedByteCount)
    }
    if byteOrder.isForeign { ByteOrder.swap(target, elementByteCount: dataType.byteCount) }
    if dataType == .bool {
      for index in target.indices { target[index] = target[index] == 0 ? 0 : 1 }
    }
  }
}

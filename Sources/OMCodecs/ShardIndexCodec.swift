import CSys
package import OMJSON

/// How the index of a shard is stored, from the configuration of `sharding_indexed`.
package struct ShardIndexCodec: Sendable {
  /// Whether the index is the first part of the shard; else it is the last.
  package let isAtStart: Bool
  /// The number of inner chunks.
  package let cellCount: Int
  /// The bytes of the stored index.
  package let encodedByteCount: Int
  private let byteOrder: ByteOrder
  /// How many checksums stand behind the index, each of all bytes before it.
  private let checksums: Int
  /// How the entries are turned; nil when they lie in order.
  private let transposition: Transposition?

  /// The index as we write it: at the end, little-endian, with checksum.
  package init(cellCount: Int) {
    self.init(cellCount, isAtStart: false, .little, checksums: 1)
  }

  /// The entry `index_codecs` as we write it.
  package static let writtenCodecs: JSON = [CodecChain.littleEndianBytes, ["name": "crc32c"]]

  private init(
    _ cellCount: Int, isAtStart: Bool, _ byteOrder: ByteOrder, checksums: Int,
    _ transposition: Transposition? = nil
  ) {
    self.cellCount = cellCount
    self.isAtStart = isAtStart
    self.byteOrder = byteOrder
    self.checksums = checksums
    self.transposition = transposition
    encodedByteCount = cellCount * 16 + checksums * CRC32CCodec.byteCount
  }

  /// Reads `index_codecs` and `index_location`.
  ///
  /// - Parameters:
  ///   - sharding: The codec `sharding_indexed`.
  ///   - gridShape: The number of inner chunks of a shard along each axis, as the index numbers them.
  /// - Throws: `metadata`, also for codecs whose result has no fixed size, or `unsupported`.
  package init(_ sharding: CodecSettings, gridShape: [Int]) throws(Fault) {
    let key = "index_codecs"
    let codecs = try sharding.configuration.required(key, .array, in: sharding.subject)
    let chain = try CodecChain(v3: .array(codecs), key: key, subject: sharding.subject)
    for settings in [chain.serializer] + chain.byteCodecs {
      try Self.check(settings, chain)
    }
    let location = try sharding.word("index_location", of: ["start", "end"], default: "end")
    // Of each cell the index has two numbers, along an axis of their own.
    let entries = gridShape + [2]
    self.init(
      gridShape.reduce(1, *), isAtStart: location == "start",
      try ByteOrder(chain.serializer, elementByteCount: 8), checksums: chain.byteCodecs.count,
      Transposition(order: try chain.axisOrder(rank: entries.count), chunkShape: entries))
  }

  /// Refuses a codec of the index that is not `bytes` or `crc32c`.
  private static func check(_ settings: CodecSettings, _ chain: CodecChain) throws(Fault) {
    if settings.name == "bytes" || settings.name == "crc32c" { return }
    let isSharding = settings.name == "sharding_indexed"
    if !isSharding {
      let codec = try CodecRegistry.codec(settings, from: CodecRegistry.v3, role: "codec")
      if codec.encodedByteCount(of: 16) != nil {
        throw Fault(
          .unsupported, chain.subject,
          "`\(settings.place)` is `\(settings.name)`, supported are `transpose`, `bytes` and `crc32c`"
        )
      }
    }
    throw Fault(
      .metadata, chain.subject,
      "`\(settings.place)` is `\(settings.name)`, after which an index has no fixed size",
      hint: "the index of a shard is stored as `bytes`, mostly with `crc32c`")
  }

  /// The bytes of a shard of this size that hold its index.
  ///
  /// - Throws: `truncated` when the shard is too short.
  package func indexRange(shardByteCount: Int) throws(Fault) -> Range<Int> {
    guard shardByteCount >= encodedByteCount else {
      throw Fault(
        .truncated, "",
        "the shard has \(shardByteCount) bytes, its index alone has \(encodedByteCount)")
    }
    let start = isAtStart ? 0 : shardByteCount - encodedByteCount
    return start..<start + encodedByteCount
  }

  /// The bytes of a shard of this size that may hold inner chunks.
  package func contentRange(shardByteCount: Int) -> Range<Int> {
    isAtStart ? encodedByteCount..<shardByteCount : 0..<shardByteCount - encodedByteCount
  }

  /// Reads a stored index.
  ///
  /// - Parameters:
  ///   - encoded: `encodedByteCount` bytes.
  ///   - shardByteCount: The size of the shard.
  /// - Returns: The index; its entries are checked when they are asked for.
  /// - Throws: `checksum`, or `truncated` when the bytes look like no index at all.
  package func decode(
    _ encoded: UnsafeRawBufferPointer, shardByteCount: Int
  ) throws(Fault) -> ShardIndex {
    var index = ShardIndex(cellCount: cellCount)
    fill(&index, from: encoded)
    do throws(Fault) {
      var bytes = encoded
      for _ in 0..<checksums { bytes = try CRC32CCodec.checked(bytes) }
    } catch {
      let isPlausible = index.isPlausible(in: contentRange(shardByteCount: shardByteCount))
      throw isPlausible
        ? Fault(.checksum, "", "the index of the shard is damaged: \(error.message)")
        : Fault(
          .truncated, "",
          "the last \(encodedByteCount) bytes of the shard are no index: the shard is cut off")
    }
    return index
  }

  /// Takes the entries from a stored index.
  private func fill(_ index: inout ShardIndex, from encoded: UnsafeRawBufferPointer) {
    guard let transposition, let stored = encoded.baseAddress else {
      return index.fill(from: encoded, byteOrder)
    }
    withUnsafeTemporaryAllocation(byteCount: cellCount * 16, alignment: 8) { room in
      guard let start = room.baseAddress else { return }
      transposition.restore(stored, to: start, elementByteCount: 8)
      index.fill(from: UnsafeRawBufferPointer(room), byteOrder)
    }
  }

  /// Appends an index to a shard that we write.
  package func encode(_ index: ShardIndex, onto output: ByteBuffer) {
    let start = output.count
    index.write(onto: output)
    let words = UnsafeRawBufferPointer(rebasing: output.bytes[start...])
    withUnsafeBytes(of: om_crc32c(0, words.baseAddress, words.count).littleEndian) { checksum in
      output.append(checksum)
    }
  }
}

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
  private let hasChecksum: Bool

  /// The index as we write it: at the end, little-endian, with checksum.
  package init(cellCount: Int) {
    self.init(cellCount, isAtStart: false, .little, hasChecksum: true)
  }

  /// The entry `index_codecs` as we write it.
  package static let writtenCodecs: JSON = [CodecChain.littleEndianBytes, ["name": "crc32c"]]

  private init(_ cellCount: Int, isAtStart: Bool, _ byteOrder: ByteOrder, hasChecksum: Bool) {
    self.cellCount = cellCount
    self.isAtStart = isAtStart
    self.byteOrder = byteOrder
    self.hasChecksum = hasChecksum
    encodedByteCount = cellCount * 16 + (hasChecksum ? CRC32CCodec.byteCount : 0)
  }

  /// Reads `index_codecs` and `index_location`.
  ///
  /// - Parameters:
  ///   - sharding: The codec `sharding_indexed`.
  ///   - cellCount: The number of inner chunks of a shard.
  /// - Throws: `metadata` or `unsupported`.
  package init(_ sharding: CodecSettings, cellCount: Int) throws(Fault) {
    let key = "index_codecs"
    let codecs = try sharding.configuration.required(key, .array, in: sharding.subject)
    let chain = try CodecChain(v3: .array(codecs), key: key, subject: sharding.subject)
    guard chain.transposes.isEmpty, chain.serializer.name == "bytes",
      chain.byteCodecs.count <= 1, chain.byteCodecs.allSatisfy({ $0.name == "crc32c" })
    else {
      throw Fault(
        .unsupported, sharding.subject,
        "`\(key)` is \(JSON.array(codecs).excerpt), supported is `bytes` with or without `crc32c`")
    }
    let location = try sharding.word("index_location", of: ["start", "end"], default: "end")
    self.init(
      cellCount, isAtStart: location == "start",
      try ByteOrder(chain.serializer, elementByteCount: 8), hasChecksum: !chain.byteCodecs.isEmpty)
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
    index.fill(from: encoded, byteOrder)
    if !hasChecksum { return index }
    do throws(Fault) {
      _ = try CRC32CCodec.checked(encoded)
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

import OMJSON

/// A codec from bytes to bytes: a compressor or a checksum.
///
/// Nothing that stands in encoded bytes is trusted: no size from them is ever allocated.
protocol ByteCodec: Sendable {
  /// The name for messages.
  var name: String { get }

  /// What a writer uses to compress as this codec does; nil for a codec that does not compress.
  var compression: Compression? { get }

  /// Decodes the bytes of one chunk.
  ///
  /// - Parameters:
  ///   - encoded: All bytes of this step, at least one.
  ///   - target: Memory for the largest result that is acceptable.
  ///   - context: The context of the calling thread.
  /// - Returns: Where the decoded bytes are: the start of `target`, or a part of `encoded` when
  ///   nothing had to be moved.
  /// - Throws: `truncated` when bytes are missing, `checksum` when they do not fit their checksum,
  ///   `limit` when there are more than fit `target`, `codec` for everything else.
  func decode(
    _ encoded: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> UnsafeRawBufferPointer
}

/// A codec that can write as well.
protocol ByteEncoder: ByteCodec {
  /// The largest number of bytes that `encode` can need.
  func maximumEncodedByteCount(of byteCount: Int) -> Int

  /// Encodes the bytes of one chunk.
  ///
  /// - Parameters:
  ///   - bytes: The bytes to encode.
  ///   - target: Memory of at least `maximumEncodedByteCount` bytes.
  ///   - context: The context of the calling thread.
  /// - Returns: The number of bytes written.
  /// - Throws: `unsupported` when the library lacks the compressor, `internal` otherwise.
  func encode(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> Int
}

extension Fault {
  /// The fault of a chunk that holds more bytes than its array's metadata allow.
  static func tooLarge(_ name: String, _ limit: Int) -> Fault {
    Fault(.limit, "", "\(name) data decode to more than the \(limit) bytes of the chunk")
  }

  /// The fault of a chunk that ends too early.
  static func cutOff(_ name: String, _ count: Int) -> Fault {
    Fault(
      .truncated, "", "\(name) data are cut off: they need more than the \(count) bytes there are")
  }

  /// The fault of bytes behind the end of the data.
  static func trailing(_ name: String, _ count: Int) -> Fault {
    Fault(.codec, "", "\(count) bytes follow the end of the \(name) data")
  }
}

import OMJSON

/// A codec from bytes to bytes: a compressor or a checksum.
///
/// Nothing that stands in encoded bytes is trusted: no size from them is ever allocated.
protocol ByteCodec: Sendable {
  /// The name for messages.
  var name: String { get }

  /// What a writer uses to compress as this codec does; nil for a codec that does not compress.
  var compression: Compression? { get }

  /// The number of bytes that encoding makes of so many; nil when that depends on the bytes.
  func encodedByteCount(of byteCount: Int) -> Int?

  /// Decodes the bytes of one chunk.
  ///
  /// - Parameters:
  ///   - encoded: All bytes of this step, at least one.
  ///   - target: Memory for the largest result that is acceptable.
  ///   - context: The context of the calling thread.
  /// - Returns: Where the decoded bytes are: the start of `target`, or a part of `encoded` when
  ///   nothing had to be moved.
  /// - Throws: `truncated` when bytes are missing, `checksum` when they do not fit their checksum,
  ///   `limit` when there are far more than fit `target`, `codec` for everything else.
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

extension ByteCodec {
  // Compressors.
  func encodedByteCount(of byteCount: Int) -> Int? { nil }
}

extension Fault {
  /// The fault of a chunk that decodes to more bytes than its array's metadata allow.
  ///
  /// A chunk of another shape or type is damage. What a compressor has packed far more into is an attack on
  /// memory or time, whose end nobody waits for: that has the kind `limit`.
  ///
  /// - Parameters:
  ///   - name: The codec.
  ///   - limit: The bytes that fit.
  ///   - found: The bytes that there are; nil when nobody knows, and they may be any number.
  /// - Returns: A fault without a subject.
  static func tooLarge(_ name: String, _ limit: Int, found: Int?) -> Fault {
    let text = "\(name) data decode to more than the \(limit) bytes of the chunk"
    guard let found, found <= mostTooLarge(limit) else { return Fault(.limit, "", text) }
    return Fault(.codec, "", text, facts: ["they decode to \(found) bytes"])
  }

  /// The most bytes that a chunk may decode to and count as one of another shape or type: edges of twice the
  /// length along three axes, or elements of eight bytes for one.
  static func mostTooLarge(_ limit: Int) -> Int { limit > Int.max / 8 ? Int.max : limit * 8 }

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

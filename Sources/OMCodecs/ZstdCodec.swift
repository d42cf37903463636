import CZstd
import OMJSON

/// Zstandard (RFC 8878): any number of frames, with or without content size, and skippable frames.
struct ZstdCodec: ByteEncoder {
  let level: Int
  private let windowLimit = Limits.current.zstdWindow
  var name: String { "zstd" }
  var compression: Compression? { .zstd(level: level) }

  init(level: Int) { self.level = level }

  /// Reads the configuration of the v3 codec.
  init(v3 settings: CodecSettings) throws(Fault) {
    if let json = settings.configuration["checksum"], json.boolValue == nil {
      throw settings.wrong("checksum", json, "true or false")
    }
    try self.init(settings)
  }

  /// Reads the configuration of numcodecs' zstd.
  init(_ settings: CodecSettings) throws(Fault) {
    level = try settings.integer("level", in: -131_072...22, default: 0)
  }

  func decode(
    _ encoded: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> UnsafeRawBufferPointer {
    try checkWindow(encoded)
    let decompressor = try context.zstd.decompressor()
    // In one call the target is the window, so a frame that asks for a large window costs no memory.
    let result = ZSTD_decompressDCtx(
      decompressor, target.baseAddress, target.count, encoded.baseAddress, encoded.count)
    if ZSTD_isError(result) != 0 { throw fault(result, encoded, limit: target.count) }
    return UnsafeRawBufferPointer(rebasing: target[..<result])
  }

  func maximumEncodedByteCount(of byteCount: Int) -> Int { ZSTD_compressBound(byteCount) }

  func encode(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> Int {
    let compressor = try context.zstd.compressor()
    let result = ZSTD_compressCCtx(
      compressor, target.baseAddress, target.count, bytes.baseAddress, bytes.count, Int32(level))
    if ZSTD_isError(result) != 0 { throw Fault(.internal, "", "zstd: \(errorName(result))") }
    return result
  }

  /// Says what is wrong with encoded bytes after the library refused them.
  private func fault(_ result: Int, _ encoded: UnsafeRawBufferPointer, limit: Int) -> Fault {
    let claimed = claimedByteCount(encoded)
    if claimed > limit { return .tooLarge(name, limit, found: claimed) }
    switch ZSTD_getErrorCode(result) {
    case ZSTD_error_dstSize_tooSmall, ZSTD_error_frameParameter_windowTooLarge:
      return .tooLarge(name, limit, found: nil)
    case ZSTD_error_checksum_wrong:
      return Fault(.checksum, "", "the checksum of a zstd frame does not fit its content")
    case ZSTD_error_srcSize_wrong:
      // The library reports garbage behind a frame as a wrong size too.
      let rest = bytesBehindFrames(encoded)
      return rest > 0 ? .trailing(name, rest) : .cutOff(name, encoded.count)
    default:
      return Fault(.codec, "", "the zstd data are damaged: \(errorName(result))")
    }
  }

  /// Refuses a frame that asks for a window beyond the limit (RFC 8878, section 3.1.1.1).
  ///
  /// Frames of one segment have none: their window is their content, whose size is checked.
  private func checkWindow(_ encoded: UnsafeRawBufferPointer) throws(Fault) {
    guard encoded.count > 5, encoded.starts(with: [0x28, 0xB5, 0x2F, 0xFD]),
      encoded[4] & 0x20 == 0
    else { return }
    let base = 1 << (10 + Int(encoded[5] >> 3))
    let window = base + base / 8 * Int(encoded[5] & 7)
    if window <= windowLimit { return }
    throw Fault(
      .limit, "", "a zstd frame asks for a window of \(window) bytes, the limit is \(windowLimit)",
      hint: Limits.hint(.zstdWindow))
  }

  /// The bytes that the frames say they hold, up to the first one that does not say.
  private func claimedByteCount(_ encoded: UnsafeRawBufferPointer) -> Int {
    var rest = encoded[...]
    var sum: UInt64 = 0
    while !rest.isEmpty {
      let frame = UnsafeRawBufferPointer(rebasing: rest)
      let size = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
      // The two largest values mean "unknown" and "no frame".
      guard size < UInt64.max - 1 else { break }
      let (next, overflow) = sum.addingReportingOverflow(size)
      sum = overflow ? UInt64.max : next
      let length = ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
      if overflow || ZSTD_isError(length) != 0 { break }
      rest = rest.dropFirst(length)
    }
    return Int(clamping: sum)
  }

  /// The number of bytes behind the last whole frame that are no frame; 0 when a frame is cut off.
  private func bytesBehindFrames(_ encoded: UnsafeRawBufferPointer) -> Int {
    var rest = encoded[...]
    while !rest.isEmpty {
      let size = ZSTD_findFrameCompressedSize(
        UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if ZSTD_isError(size) != 0 {
        let isGarbage = ZSTD_getErrorCode(size) == ZSTD_error_prefix_unknown
        return isGarbage ? rest.count : 0
      }
      rest = rest.dropFirst(size)
    }
    return 0
  }

  private func errorName(_ result: Int) -> String { String(cString: ZSTD_getErrorName(result)) }
}

/// The zstd contexts of one worker thread, made at first use.
final class ZstdContexts {
  private var decompression: OpaquePointer?
  private var compression: OpaquePointer?

  deinit {
    ZSTD_freeDCtx(decompression)
    ZSTD_freeCCtx(compression)
  }

  func decompressor() throws(Fault) -> OpaquePointer {
    if let decompression { return decompression }
    guard let made = ZSTD_createDCtx() else { throw .outOfMemory("a zstd context") }
    decompression = made
    return made
  }

  func compressor() throws(Fault) -> OpaquePointer {
    if let compression { return compression }
    guard let made = ZSTD_createCCtx() else { throw .outOfMemory("a zstd context") }
    compression = made
    return made
  }
}

extension Fault {
  /// The fault of a library that got no memory.
  static func outOfMemory(_ what: String) -> Fault {
    Fault(.limit, "", "there is no memory left for \(what)")
  }
}

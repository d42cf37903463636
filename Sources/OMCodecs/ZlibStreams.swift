import CZlib
import OMJSON

/// The two framings of deflated bytes that Zarr knows.
enum ZlibFraming: Sendable {
  /// RFC 1952: one or several members, CRC-32 and length at the end of each.
  case gzip
  /// RFC 1950: one stream, Adler-32 at its end.
  case zlib

  var name: String { self == .gzip ? "gzip" : "zlib" }

  /// zlib's code for the framing with the largest window.
  var windowBits: Int32 { self == .gzip ? 15 + 16 : 15 }
}

/// The zlib streams of one worker thread, made at first use and reset between chunks.
final class ZlibStreams {
  // zlib keeps a pointer from its state back to the stream, so streams must not move.
  private let inflating = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let deflating = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var isInflateReady = false
  private var deflateSettings: (framing: ZlibFraming, level: Int)?
  private static let streamSize = Int32(MemoryLayout<z_stream>.size)

  init() {
    inflating.initialize(to: z_stream())
    deflating.initialize(to: z_stream())
  }

  deinit {
    if isInflateReady { inflateEnd(inflating) }
    if deflateSettings != nil { deflateEnd(deflating) }
    inflating.deallocate()
    deflating.deallocate()
  }

  /// A stream ready to inflate.
  func inflater(_ framing: ZlibFraming) throws(Fault) -> UnsafeMutablePointer<z_stream> {
    let status =
      isInflateReady
      ? inflateReset2(inflating, framing.windowBits)
      : inflateInit2_(inflating, framing.windowBits, ZLIB_VERSION, Self.streamSize)
    guard status == Z_OK else { throw .outOfMemory("a zlib stream") }
    isInflateReady = true
    return inflating
  }

  /// A stream ready to deflate.
  func deflater(
    _ framing: ZlibFraming, level: Int
  ) throws(Fault) -> UnsafeMutablePointer<z_stream> {
    if let deflateSettings {
      if deflateSettings == (framing, level) {
        deflateReset(deflating)
        return deflating
      }
      deflateEnd(deflating)
      self.deflateSettings = nil
    }
    let status = deflateInit2_(
      deflating, Int32(level), Z_DEFLATED, framing.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Self.streamSize)
    guard status == Z_OK else { throw .outOfMemory("a zlib stream") }
    deflateSettings = (framing, level)
    return deflating
  }
}

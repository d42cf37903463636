import OMJSON

/// The codecs from bytes to bytes that can be read, by the names that metadata use.
enum CodecRegistry {
  typealias Maker = @Sendable (CodecSettings) throws(Fault) -> any ByteCodec

  /// Names in `codecs` of Zarr v3; those with `numcodecs.` hold the same bytes as in v2.
  static let v3: [String: Maker] = [
    "blosc": BloscCodec.init(v3:),
    "crc32c": CRC32CCodec.init,
    "gzip": DeflateCodec.init(gzip:),
    "zstd": ZstdCodec.init,
    "numcodecs.blosc": BloscCodec.init(v2:),
    "numcodecs.gzip": DeflateCodec.init(gzip:),
    "numcodecs.lz4": LZ4Codec.init,
    "numcodecs.zlib": DeflateCodec.init(zlib:),
    "numcodecs.zstd": ZstdCodec.init,
  ]

  /// The `id` of `compressor` in Zarr v2.
  static let v2: [String: Maker] = [
    "blosc": BloscCodec.init(v2:),
    "gzip": DeflateCodec.init(gzip:),
    "lz4": LZ4Codec.init,
    "zlib": DeflateCodec.init(zlib:),
    "zstd": ZstdCodec.init,
  ]

  /// Makes the codec that an entry of the metadata asks for.
  static func codec(
    _ settings: CodecSettings, from makers: [String: Maker], role: String
  ) throws(Fault) -> any ByteCodec {
    guard let make = makers[settings.name] else {
      throw settings.unknown(role, known: Array(makers.keys))
    }
    return try make(settings)
  }
}

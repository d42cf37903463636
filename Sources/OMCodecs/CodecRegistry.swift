import OMJSON

/// The codecs from bytes to bytes that can be read, by the names that metadata use.
enum CodecRegistry {
  typealias Maker = @Sendable (CodecSettings) throws(Fault) -> any ByteCodec

  /// Names in `codecs` of Zarr v3; those with `numcodecs.` hold the same bytes as in v2.
  static let v3: [String: Maker] = [
    "blosc": BloscCodec.init(v3:),
    "crc32c": CRC32CCodec.init,
    "gzip": DeflateCodec.init(v3:),
    "zstd": ZstdCodec.init(v3:),
    "numcodecs.blosc": BloscCodec.init(v2:),
    "numcodecs.gzip": DeflateCodec.init(gzip:),
    "numcodecs.lz4": LZ4Codec.init,
    "numcodecs.shuffle": ShuffleCodec.init,
    "numcodecs.zlib": DeflateCodec.init(zlib:),
    "numcodecs.zstd": ZstdCodec.init(_:),
  ]

  /// The `id` of `compressor` in Zarr v2.
  static let v2: [String: Maker] = [
    "blosc": BloscCodec.init(v2:),
    "gzip": DeflateCodec.init(gzip:),
    "lz4": LZ4Codec.init,
    "zlib": DeflateCodec.init(zlib:),
    "zstd": ZstdCodec.init(_:),
  ]

  /// The `id` of an entry of `filters` in Zarr v2; they work on the stored bytes, in whatever order
  /// and byte order these are.
  static let filters: [String: Maker] = [
    "delta": DeltaCodec.init,
    "shuffle": ShuffleCodec.init,
  ]

  /// Makes the codecs of the member `filters` of Zarr v2.
  ///
  /// Filters change voxels, so an array with one that is not known cannot be read.
  ///
  /// - Throws: `unsupported` for an unknown filter, `metadata` for a wrong configuration.
  static func filters(_ json: JSON, subject: String) throws(Fault) -> [any ByteCodec] {
    if json == .null { return [] }
    guard let entries = json.arrayValue else {
      throw Fault(
        .metadata, subject, "`filters` is \(json.excerpt), expected a list of filters or null")
    }
    var codecs: [any ByteCodec] = []
    for (number, entry) in entries.enumerated() {
      let settings = try CodecSettings(v2: entry, subject: subject, place: "filters[\(number)]")
      codecs.append(try codec(settings, from: filters, role: "filter"))
    }
    return codecs
  }

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

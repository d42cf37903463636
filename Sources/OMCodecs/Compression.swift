package import OMGrid
package import OMJSON

/// How the chunks of an array that we write are compressed.
package enum Compression: Sendable, Equatable {
  /// Bytes as they are.
  case none
  /// Blosc; elements have the size of the array's type.
  case blosc(BloscOptions)
  /// Levels to 22; negative ones are faster.
  case zstd(level: Int)
  /// Levels 0 to 9.
  case gzip(level: Int)
  /// Levels 0 to 9. Zarr v2 only; in v3 it becomes gzip, which holds the same deflated bytes.
  case zlib(level: Int)

  /// The encoder, or nil when bytes are stored as they are.
  func encoder(_ dataType: DataType) -> (any ByteEncoder)? {
    switch self {
    case .none: nil
    case .blosc(let options): BloscCodec(options: options, typeSize: dataType.byteCount)
    case .zstd(let level): ZstdCodec(level: level)
    case .gzip(let level): DeflateCodec(framing: .gzip, level: level)
    case .zlib(let level): DeflateCodec(framing: .zlib, level: level)
    }
  }

  /// The same, as far as this version of Zarr can say it.
  package func available(inFormat zarrFormat: Int) -> Compression {
    if case .zlib(let level) = self, zarrFormat == 3 { return .gzip(level: level) }
    return self
  }

  /// The member `compressor` of a v2 array.
  package func v2Compressor() -> JSON {
    switch self {
    case .none: .null
    case .blosc(let options):
      [
        "id": "blosc", "cname": .string(options.compressor), "clevel": JSON(options.level),
        "shuffle": JSON(options.shuffle.code), "blocksize": JSON(options.blockSize),
      ]
    case .zstd(let level): ["id": "zstd", "level": JSON(level)]
    case .gzip(let level): ["id": "gzip", "level": JSON(level)]
    case .zlib(let level): ["id": "zlib", "level": JSON(level)]
    }
  }

  /// The member `codecs` of a v3 array, or of its inner chunks.
  package func v3Codecs(_ dataType: DataType) -> JSON {
    var codecs: [JSON] = [CodecChain.littleEndianBytes]
    switch available(inFormat: 3) {
    case .none, .zlib: break
    case .blosc(let options):
      let typeSize = dataType.byteCount
      let configuration: JSON = [
        "cname": .string(options.compressor), "clevel": JSON(options.level),
        "shuffle": .string(options.shuffle.resolved(typeSize: typeSize).rawValue),
        "typesize": JSON(typeSize), "blocksize": JSON(options.blockSize),
      ]
      codecs.append(["name": "blosc", "configuration": configuration])
    case .zstd(let level):
      codecs.append(
        ["name": "zstd", "configuration": ["level": JSON(level), "checksum": false]])
    case .gzip(let level):
      codecs.append(["name": "gzip", "configuration": ["level": JSON(level)]])
    }
    return .array(codecs)
  }
}

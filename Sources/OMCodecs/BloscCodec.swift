import CBlosc
import OMJSON

/// Blosc 1 with any of its compressors; the header of each chunk says how it was made.
struct BloscCodec: ByteEncoder {
  let options: BloscOptions
  /// The number of bytes of one element, for shuffling.
  let typeSize: Int

  init(options: BloscOptions, typeSize: Int) {
    self.options = options
    self.typeSize = typeSize
  }

  var name: String { "blosc" }
  var compression: Compression? { .blosc(options) }

  func decode(
    _ encoded: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> UnsafeRawBufferPointer {
    let byteCount = try checkedByteCount(encoded, limit: target.count)
    let result = blosc_decompress_ctx(encoded.baseAddress, target.baseAddress, target.count, 1)
    guard result == byteCount else {
      throw Fault(
        .codec, "", "the blosc data are damaged: status \(result), expected \(byteCount) bytes")
    }
    return UnsafeRawBufferPointer(rebasing: target[..<byteCount])
  }

  func maximumEncodedByteCount(of byteCount: Int) -> Int { byteCount + Int(BLOSC_MAX_OVERHEAD) }

  func encode(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> Int {
    let shuffle = options.shuffle.resolved(typeSize: typeSize)
    let result = blosc_compress_ctx(
      Int32(options.level), Int32(shuffle.code), typeSize, bytes.count,
      bytes.baseAddress, target.baseAddress, target.count, options.compressor, options.blockSize, 1)
    if result > 0 { return Int(result) }
    let known = String(cString: blosc_list_compressors())
    guard known.split(separator: ",").contains(Substring(options.compressor)) else {
      throw Fault(
        .unsupported, "", "this blosc has no compressor `\(options.compressor)`, it has \(known)")
    }
    throw Fault(.internal, "", "blosc ended with status \(result) for \(bytes.count) bytes")
  }
}

// MARK: - Metadata

extension BloscCodec {
  /// Reads the configuration of the v3 codec, with words for the shuffle.
  init(v3 settings: CodecSettings) throws(Fault) {
    let words = ["noshuffle", "shuffle", "bitshuffle"]
    let word = try settings.word("shuffle", of: words, default: "noshuffle")
    typeSize = try settings.integer("typesize", in: 1...Int.max, default: 1)
    if word != "noshuffle", settings.configuration["typesize"] ?? .null == .null {
      throw Fault(
        .metadata, settings.subject,
        "codec `blosc` in `\(settings.place)` has no `typesize`, which \"\(word)\" needs")
    }
    options = try BloscOptions(settings, shuffle: BloscOptions.Shuffle(rawValue: word) ?? .none)
  }

  /// Reads the configuration of numcodecs' blosc, with numbers for the shuffle.
  init(v2 settings: CodecSettings) throws(Fault) {
    typeSize = 1
    let code = try settings.integer("shuffle", in: -1...2, default: 1)
    let shuffle = BloscOptions.Shuffle.allCases.first { $0.code == code }
    options = try BloscOptions(settings, shuffle: shuffle ?? .byte)
  }
}

extension BloscOptions {
  /// Reads what both kinds of metadata have in common.
  fileprivate init(_ settings: CodecSettings, shuffle: Shuffle) throws(Fault) {
    self.init(
      compressor: try settings.word("cname", of: Self.compressors, default: "lz4"),
      level: try settings.integer("clevel", in: 0...9, default: 5),
      shuffle: shuffle,
      blockSize: try settings.integer("blocksize", in: 0...Int(Int32.max), default: 0))
  }
}

// MARK: - Checks before the library sees foreign bytes

extension BloscCodec {
  private static let headerByteCount = 16

  /// The decoded size after all checks of the header.
  private func checkedByteCount(
    _ encoded: UnsafeRawBufferPointer, limit: Int
  ) throws(Fault) -> Int {
    guard encoded.count >= Self.headerByteCount else { throw .cutOff(name, encoded.count) }
    let version = encoded[0]
    let typeSize = encoded[3]
    let byteCount = Int(
      UInt32(littleEndian: encoded.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
    let total = Int(
      UInt32(littleEndian: encoded.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
    guard version == 2 else {
      throw Fault(.codec, "", "the blosc header has format version \(version), expected 2")
    }
    if total > encoded.count { throw .cutOff(name, encoded.count) }
    if total < encoded.count { throw .trailing(name, encoded.count - total) }
    if typeSize == 0 { throw Fault(.codec, "", "the blosc header has a type size of 0") }
    guard byteCount <= limit else {
      throw Fault(
        .codec, "", "the blosc header says \(byteCount) bytes, the chunk has at most \(limit)")
    }
    var validated = 0
    guard blosc_cbuffer_validate(encoded.baseAddress, encoded.count, &validated) == 0,
      validated == byteCount
    else { throw Fault(.codec, "", "the blosc header is not valid") }
    try refuseLongRuns(encoded)
    return byteCount
  }

  /// Refuses streams that crash the blosclz decoder of c-blosc 1.21 by overflow of a signed number.
  private func refuseLongRuns(_ encoded: UnsafeRawBufferPointer) throws(Fault) {
    let limit = 8 << 20
    let flags = encoded[2]
    let isBloscLZ = flags >> 5 == 0
    let isPlain = flags & UInt8(BLOSC_MEMCPYED) != 0
    guard isBloscLZ, !isPlain, encoded.count >= limit else { return }
    var run = 0
    for byte in encoded {
      run = byte == 0xFF ? run + 1 : 0
      if run >= limit {
        throw Fault(.codec, "", "the blosclz data hold a run of \(limit) bytes of 0xFF")
      }
    }
  }
}

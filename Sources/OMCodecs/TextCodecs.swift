package import OMJSON

/// The codecs of a chunk of texts: `vlen-utf8`, and codecs from bytes to bytes behind it.
///
/// Packed texts begin with their number; each follows behind its length in bytes. All numbers have four
/// bytes, the least one first.
package struct TextCodecs: Sendable {
  /// The codec that packs texts, by the names that it has in metadata.
  package static let name = "vlen-utf8"

  private let byteCodecs: [any ByteCodec]

  /// Reads the member `codecs` of a v3 array, or of the inner chunks of its shards.
  ///
  /// - Throws: `metadata` or `unsupported`.
  package init(v3 codecs: [CodecSettings]) throws(Fault) {
    guard let first = codecs.first else {
      throw Fault(.metadata, "", "there are no codecs, expected `\(Self.name)`")
    }
    guard [Self.name, "numcodecs.\(Self.name)"].contains(first.name) else {
      throw first.unknown("codec of texts", known: [Self.name])
    }
    byteCodecs = try codecs.dropFirst().map { (settings) throws(Fault) in
      try CodecRegistry.codec(settings, from: CodecRegistry.v3, role: "codec")
    }
  }

  /// Reads the members `filters` and `compressor` of a v2 array.
  ///
  /// - Throws: `metadata` or `unsupported`.
  package init(v2 filters: [CodecSettings], compressor: CodecSettings?) throws(Fault) {
    guard let filter = filters.first, filters.count == 1, filter.name == Self.name else {
      throw filters.first.map { $0.unknown("filter of texts", known: [Self.name]) }
        ?? Fault(.unsupported, "", "texts without the filter `\(Self.name)` cannot be read")
    }
    byteCodecs = try [compressor].compactMap(\.self).map { (settings) throws(Fault) in
      try CodecRegistry.codec(settings, from: CodecRegistry.v2, role: "compressor")
    }
  }

  /// The most bytes that a chunk of texts may have.
  private static let maximumByteCount = 256 << 20

  /// Decodes a chunk.
  ///
  /// - Throws: `truncated`, `checksum`, `limit` or `codec`, with an empty subject.
  package func decode(
    _ encoded: UnsafeRawBufferPointer, using context: CodecContext
  ) throws(Fault) -> [String] {
    var bytes = encoded
    for codec in byteCodecs.reversed() {
      if bytes.isEmpty { throw Fault(.truncated, "", "the chunk is empty (0 bytes)") }
      do throws(Fault) {
        bytes = try codec.decode(
          bytes, into: context.scratch(byteCount: Self.maximumByteCount), using: context)
      } catch {
        // How many bytes texts have stands nowhere: more than these are no damage.
        let tooLarge = Fault.tooLarge(codec.name, Self.maximumByteCount, found: nil)
        throw error.message == tooLarge.message ? tooLarge : error
      }
    }
    return try Self.unpacked(bytes)
  }

  /// Packs texts; empty ones fill up the chunk.
  package static func packed(_ texts: [String], filling count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    func add(_ number: Int) {
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: number).littleEndian) { bytes += $0 }
    }
    add(count)
    for text in texts {
      add(text.utf8.count)
      bytes += Array(text.utf8)
    }
    for _ in texts.count..<max(count, texts.count) { add(0) }
    return bytes
  }

  private static func unpacked(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> [String] {
    let damage = Fault(.codec, "", "the \(bytes.count) bytes of a chunk end within a text")
    var offset = 0
    func number() throws(Fault) -> Int {
      guard offset + 4 <= bytes.count else { throw damage }
      defer { offset += 4 }
      return Int(
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
    var texts: [String] = []
    for _ in 0..<(try number()) {
      let length = try number()
      guard length <= bytes.count - offset else { throw damage }
      let text = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
      texts.append(String(decoding: text, as: UTF8.self))
      offset += length
    }
    return texts
  }
}

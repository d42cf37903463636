package import OMJSON

/// What happens to the bytes of one chunk of texts between the store and the texts: `vlen-utf8`, which
/// packs them, and codecs from bytes to bytes.
package struct TextPipeline: Sendable {
  private let byteCodecs: [any ByteCodec]

  /// The most bytes that the texts of a chunk may take: those of a metadata document.
  private var limit: Int { Limits.current.metadata }

  /// Reads the codecs of a v3 array of texts, or of the inner chunks of its shards.
  ///
  /// - Parameters:
  ///   - codecs: The list of codecs.
  ///   - key: The member that holds it, for messages.
  ///   - subject: The document, for messages.
  /// - Throws: `unsupported` when the first is not `vlen-utf8` or another one is not known.
  package init(v3 codecs: [JSON], key: String, subject: String) throws(Fault) {
    var settings: [CodecSettings] = []
    for (number, entry) in codecs.enumerated() {
      settings.append(try CodecSettings(v3: entry, subject: subject, place: "\(key)[\(number)]"))
    }
    guard settings.first?.name == "vlen-utf8" else {
      throw Fault(
        .unsupported, subject,
        "`\(key)` is \(JSON.array(codecs).excerpt), texts are read from `vlen-utf8`")
    }
    byteCodecs = try settings.dropFirst().map { (settings) throws(Fault) in
      try CodecRegistry.codec(settings, from: CodecRegistry.v3, role: "codec")
    }
  }

  /// Reads the codecs of a v2 array of texts.
  ///
  /// - Throws: `unsupported` for other filters than `vlen-utf8` and for an unknown compressor.
  package init(v2 filters: JSON, compressor: JSON, subject: String) throws(Fault) {
    guard filters.arrayValue?.count == 1, filters.arrayValue?[0]["id"] == "vlen-utf8" else {
      throw Fault(
        .unsupported, subject, "`filters` is \(filters.excerpt), texts are read from `vlen-utf8`")
    }
    if compressor == .null {
      byteCodecs = []
      return
    }
    let settings = try CodecSettings(v2: compressor, subject: subject, place: "compressor")
    byteCodecs = [
      try CodecRegistry.codec(settings, from: CodecRegistry.v2, role: "compressor")
    ]
  }

  /// The texts of a chunk.
  ///
  /// - Throws: `codec`, `truncated`, `checksum` or `limit`, with an empty subject.
  package func texts(in stored: [UInt8], using context: CodecContext) throws(Fault) -> [String] {
    var bytes = stored
    for codec in byteCodecs.reversed() { bytes = try decode(bytes, codec, context) }
    return try unpack(bytes)
  }

  private func decode(
    _ bytes: [UInt8], _ codec: any ByteCodec, _ context: CodecContext
  ) throws(Fault) -> [UInt8] {
    if bytes.isEmpty { throw Fault(.truncated, "", "the chunk is empty (0 bytes)") }
    let target = context.scratch(byteCount: limit)
    var result: Result<[UInt8], Fault> = .success([])
    bytes.withUnsafeBytes { encoded in
      do throws(Fault) {
        result = .success(Array(try codec.decode(encoded, into: target, using: context)))
      } catch {
        result = .failure(error)
      }
    }
    return try result.get()
  }

  /// How many texts there are, then each behind its length in bytes; numbers have four bytes.
  private func unpack(_ bytes: [UInt8]) throws(Fault) -> [String] {
    var offset = 0
    func take(_ count: Int) throws(Fault) -> ArraySlice<UInt8> {
      guard count <= bytes.count - offset else {
        throw Fault(.codec, "", "the \(bytes.count) bytes of the chunk end within a text")
      }
      defer { offset += count }
      return bytes[offset..<offset + count]
    }
    func number() throws(Fault) -> Int {
      try take(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    var texts: [String] = []
    for _ in 0..<(try number()) {
      texts.append(String(decoding: try take(number()), as: UTF8.self))
    }
    return texts
  }
}

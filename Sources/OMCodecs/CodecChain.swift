package import OMJSON

/// A v3 codec list whose order is right: any number of transposes, one codec that makes bytes, and
/// any number of codecs from bytes to bytes.
package struct CodecChain: Sendable {
  /// The codecs from array to array.
  package let transposes: [CodecSettings]
  /// The one codec from array to bytes: `bytes` or `sharding_indexed`.
  package let serializer: CodecSettings
  /// The codecs from bytes to bytes; their names are not checked yet.
  package let byteCodecs: [CodecSettings]

  /// Whether the chain makes shards.
  package var isSharded: Bool { serializer.name == "sharding_indexed" }

  /// The document.
  package var subject: String { serializer.subject }

  /// The entry of `bytes` as we write it.
  static let littleEndianBytes: JSON = [
    "name": "bytes", "configuration": ["endian": "little"],
  ]

  /// Reads the member `key` of a document.
  ///
  /// - Throws: `metadata` when the order is wrong or the list is no list.
  package init(v3 codecs: JSON, key: String, subject: String) throws(Fault) {
    guard let entries = codecs.arrayValue, !entries.isEmpty else {
      throw Fault(.metadata, subject, "`\(key)` is \(codecs.excerpt), expected a list of codecs")
    }
    var settings: [CodecSettings] = []
    for (number, entry) in entries.enumerated() {
      settings.append(
        try CodecSettings(v3: entry, subject: subject, place: "\(key)[\(number)]"))
    }
    let transposes = settings.prefix { $0.name == "transpose" }
    let rest = settings.dropFirst(transposes.count)
    guard let serializer = rest.first, Self.isSerializer(serializer) else {
      if let first = rest.first, CodecRegistry.v3[first.name] == nil {
        throw first.unknown("codec", known: Self.known)
      }
      throw Fault(
        .metadata, subject,
        "`\(key)` has no `bytes` or `sharding_indexed` before its codecs from bytes to bytes")
    }
    for later in rest.dropFirst() where later.name == "transpose" || Self.isSerializer(later) {
      throw Fault(
        .metadata, subject,
        "`\(later.place)` is `\(later.name)`, which must not follow"
          + " `\(serializer.name)` in `\(serializer.place)`")
    }
    self.init(transposes: Array(transposes), serializer, byteCodecs: Array(rest.dropFirst()))
  }

  private init(
    transposes: [CodecSettings], _ serializer: CodecSettings, byteCodecs: [CodecSettings]
  ) {
    self.transposes = transposes
    self.serializer = serializer
    self.byteCodecs = byteCodecs
  }

  /// The same chain behind further transposes, which come first when encoding.
  package func behind(_ outer: [CodecSettings]) -> CodecChain {
    CodecChain(transposes: outer + transposes, serializer, byteCodecs: byteCodecs)
  }

  private static func isSerializer(_ settings: CodecSettings) -> Bool {
    settings.name == "bytes" || settings.name == "sharding_indexed"
  }

  private static var known: [String] {
    Array(CodecRegistry.v3.keys) + ["bytes", "sharding_indexed", "transpose"]
  }
}

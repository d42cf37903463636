import OMJSON

/// The byte order of stored numbers: the v3 codec `bytes`, and the first letter of a v2 type.
package enum ByteOrder: String, Sendable {
  case little, big

  /// Whether stored numbers have to be turned round on this machine.
  var isForeign: Bool {
    let isBigHere = Int(1).bigEndian == 1
    return (self == .big) != isBigHere
  }

  /// Reads the configuration of `bytes`; types of one byte need none.
  ///
  /// - Throws: `metadata` when the byte order of a wider type is missing or unknown.
  init(_ settings: CodecSettings, elementByteCount: Int) throws(Fault) {
    guard let json = settings.configuration["endian"] else {
      if elementByteCount == 1 {
        self = .little
        return
      }
      throw Fault(
        .metadata, settings.subject,
        "`endian` is missing in `\(settings.place)`; elements of \(elementByteCount) bytes need it",
        hint: "add \"configuration\": {\"endian\": \"little\"} if a little-endian machine wrote it")
    }
    guard let order = json.stringValue.flatMap(ByteOrder.init(rawValue:)) else {
      throw settings.wrong("endian", json, "\"little\" or \"big\"")
    }
    self = order
  }

  /// Turns every number round in its place.
  static func swap(_ bytes: UnsafeMutableRawBufferPointer, elementByteCount: Int) {
    switch elementByteCount {
    case 2: swap(bytes.assumingMemoryBound(to: UInt16.self))
    case 4: swap(bytes.assumingMemoryBound(to: UInt32.self))
    case 8: swap(bytes.assumingMemoryBound(to: UInt64.self))
    default: break
    }
  }

  private static func swap<Word: FixedWidthInteger>(_ words: UnsafeMutableBufferPointer<Word>) {
    guard let start = words.baseAddress else { return }
    for index in 0..<words.count { start[index] = start[index].byteSwapped }
  }
}

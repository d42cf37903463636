import CSys
import OMJSON

/// Four bytes of CRC-32C, little-endian, behind the bytes they protect.
struct CRC32CCodec: ByteCodec {
  static let byteCount = 4
  var name: String { "crc32c" }
  var compression: Compression? { nil }

  init(_ settings: CodecSettings) throws(Fault) {}

  func encodedByteCount(of byteCount: Int) -> Int? { byteCount + Self.byteCount }

  func decode(
    _ encoded: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> UnsafeRawBufferPointer {
    try Self.checked(encoded)
  }

  /// The bytes in front of the checksum.
  ///
  /// - Throws: `checksum` when it does not fit them, `truncated` when there is none.
  static func checked(_ encoded: UnsafeRawBufferPointer) throws(Fault) -> UnsafeRawBufferPointer {
    guard encoded.count >= byteCount else { throw .cutOff("crc32c", encoded.count) }
    let content = UnsafeRawBufferPointer(rebasing: encoded.dropLast(byteCount))
    let expected = UInt32(
      littleEndian: encoded.loadUnaligned(fromByteOffset: content.count, as: UInt32.self))
    let found = om_crc32c(0, content.baseAddress, content.count)
    guard found == expected else {
      throw Fault(
        .checksum, "",
        "the checksum is 0x\(hexadecimal(found)), expected 0x\(hexadecimal(expected))"
      )
    }
    return content
  }

  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

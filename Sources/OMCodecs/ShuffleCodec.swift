import OMJSON

/// The filter `shuffle` of numcodecs: the first bytes of all elements, then the second bytes, and so on.
struct ShuffleCodec: ByteCodec {
  var name: String { "shuffle" }
  var compression: Compression? { nil }
  private let elementByteCount: Int

  init(_ settings: CodecSettings) throws(Fault) {
    elementByteCount = max(1, try settings.integer("elementsize", in: 0...1 << 16, default: 4))
  }

  func encodedByteCount(of byteCount: Int) -> Int? { byteCount }

  func decode(
    _ encoded: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
    using context: CodecContext
  ) throws(Fault) -> UnsafeRawBufferPointer {
    if elementByteCount == 1 { return encoded }
    guard encoded.count.isMultiple(of: elementByteCount) else {
      throw .noWhole(name, encoded.count, elementByteCount)
    }
    guard encoded.count <= target.count else {
      throw .tooLarge(name, target.count, found: encoded.count)
    }
    let count = encoded.count / elementByteCount
    for byte in 0..<elementByteCount {
      let plane = byte * count
      for element in 0..<count {
        target[element * elementByteCount + byte] = encoded[plane + element]
      }
    }
    return UnsafeRawBufferPointer(rebasing: target[..<encoded.count])
  }
}

extension Fault {
  /// The fault of bytes of a filter that end within an element.
  static func noWhole(_ name: String, _ count: Int, _ elementByteCount: Int) -> Fault {
    Fault(
      .codec, "",
      "the \(count) bytes of \(name) data are no whole number of elements of \(elementByteCount) bytes"
    )
  }
}

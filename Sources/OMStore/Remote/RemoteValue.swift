import OMJSON

/// A value on a server that is open for reading: what is known of it, and how to get the rest.
final class RemoteValue: Sendable {
  private let store: RemoteStore
  private let key: String
  /// Bytes of the value.
  let size: Int
  private let validator: HTTPAnswer.Validator
  /// The bytes that came when it was opened, and where they begin.
  private let known: Range<Int>
  private let bytes: [UInt8]

  /// Makes a value.
  ///
  /// - Parameters:
  ///   - store: Where it lies.
  ///   - key: Its key.
  ///   - size: Its bytes.
  ///   - validator: What tells it from another one of that name.
  ///   - known: The part that is here.
  ///   - bytes: That part.
  init(
    _ store: RemoteStore, _ key: String, size: Int, _ validator: HTTPAnswer.Validator,
    known: Range<Int>, _ bytes: [UInt8]
  ) {
    self.store = store
    self.key = key
    self.size = size
    self.validator = validator
    self.known = known.count == bytes.count ? known : 0..<0
    self.bytes = bytes
  }

  /// Fills a buffer with bytes that lie within the value.
  func read(at start: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Fault) {
    if buffer.isEmpty { return }
    let range = start..<start + buffer.count
    if known.contains(start), range.upperBound <= known.upperBound {
      let first = start - known.lowerBound
      bytes.withUnsafeBytes {
        buffer.copyMemory(from: .init(rebasing: $0[first..<first + buffer.count]))
      }
      return
    }
    try store.read(key, range, of: size, validator, into: buffer)
  }
}

extension HTTPAnswer.Validator {
  /// A number for a state; 0 when the server says nothing of it.
  var number: Int {
    guard tag != nil || date != nil else { return 0 }
    let digest = sha256(Array("\(tag ?? "")\n\(date ?? "")".utf8))
    return digest.prefix(7).reduce(0) { $0 << 8 | Int($1) }
  }
}

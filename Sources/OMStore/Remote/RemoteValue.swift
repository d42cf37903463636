import OMJSON
import Synchronization

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
  /// Nil while a thread reads through it; others then read just what they want.
  private let ahead = Mutex<Ahead?>(Ahead())

  /// What was read beyond what was wanted, because reads follow each other.
  private struct Ahead {
    /// The part that is here, at the front of `bytes`.
    var range = 0..<0
    var bytes: [UInt8] = []
    /// Where the last read ended.
    var end = -1
    /// The bytes of the next request: none are read ahead before two reads follow each other.
    var window = 0

    static let windows = 1 << 20...4 << 20
    /// Bytes that may be passed over between two reads.
    static let gap = 512 << 10
  }

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

  /// All bytes, if they came when it was opened.
  var whole: [UInt8]? { known == 0..<size ? bytes : nil }

  /// Fills a buffer with bytes that lie within the value.
  ///
  /// - Parameters:
  ///   - start: The first byte.
  ///   - buffer: Where to put them.
  ///   - isAlone: Whether nothing is read ahead.
  /// - Throws: What the request throws.
  func read(
    at start: Int, into buffer: UnsafeMutableRawBufferPointer, isAlone: Bool
  ) throws(Fault) {
    if buffer.isEmpty { return }
    let range = start..<start + buffer.count
    if known.contains(start), range.upperBound <= known.upperBound {
      let first = start - known.lowerBound
      bytes.withUnsafeBytes {
        buffer.copyMemory(from: .init(rebasing: $0[first..<first + buffer.count]))
      }
      return
    }
    if isAlone { return try fetch(range, into: buffer) }
    // One thread reads ahead, the others just what they want.
    guard var state = ahead.withLock({ $0.take() }) else {
      return try fetch(range, into: buffer)
    }
    defer { ahead.withLock { $0 = state } }
    try read(range, through: &state, into: buffer)
  }

  private func read(
    _ range: Range<Int>, through state: inout Ahead, into buffer: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    let follows = state.end >= 0 && 0...Ahead.gap ~= range.lowerBound - state.end
    state.end = range.upperBound
    var rest = buffer[...]
    var place = range.lowerBound
    if state.range.contains(place) {
      let count = min(state.range.upperBound, range.upperBound) - place
      Self.copy(state, at: place, to: rest.prefix(count))
      rest = rest.dropFirst(count)
      place += count
    }
    if rest.isEmpty { return }
    let (least, most) = (Ahead.windows.lowerBound, Ahead.windows.upperBound)
    state.window = follows ? min(max(2 * state.window, least), most) : 0
    state.range = 0..<0
    let end = min(size, place + state.window)
    if end <= range.upperBound {
      return try fetch(
        place..<range.upperBound, into: UnsafeMutableRawBufferPointer(rebasing: rest))
    }
    let count = end - place
    if state.bytes.count < count { state.bytes = [UInt8](repeating: 0, count: count) }
    var fault: Fault?
    state.bytes.withUnsafeMutableBytes { bytes in
      do throws(Fault) {
        try fetch(place..<end, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
      } catch { fault = error }
    }
    if let fault { throw fault }
    state.range = place..<end
    Self.copy(state, at: place, to: rest)
  }

  /// Copies bytes that were read ahead.
  private static func copy(
    _ state: Ahead, at place: Int, to target: Slice<UnsafeMutableRawBufferPointer>
  ) {
    let start = place - state.range.lowerBound
    state.bytes.withUnsafeBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: target).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + target.count]))
    }
  }

  private func fetch(
    _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    try store.read(key, range, of: size, validator, into: buffer)
  }
}

extension HTTPAnswer.Validator {
  /// A number for a state; 0 when the server says nothing of it.
  var number: Int {
    guard tag != nil || date != nil else { return 0 }
    let digest = sha256(Array("\(opaqueTag ?? "")\n\(date ?? "")".utf8))
    return digest.prefix(7).reduce(0) { $0 << 8 | Int($1) }
  }
}

import OMJSON

/// Takes what is wanted of a body, whether the server sends just that or more.
final class HTTPBody {
  /// What is wanted of a value.
  enum Wanted: Sendable {
    /// All of it, unless it has more bytes than that.
    case whole(limit: Int)
    /// Its first bytes, or all when it has less.
    case start(Int)
    /// Its last bytes, or all when it has less.
    case end(Int)
    /// Some of its bytes, all of which are there.
    case range(Range<Int>)

    /// The header that asks for it.
    var header: String? {
      switch self {
      case .whole: nil
      case .start(let count): "bytes=0-\(max(1, count) - 1)"
      case .end(let count): "bytes=-\(max(1, count))"
      case .range(let range): "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
      }
    }
  }

  /// What became of a body.
  enum Ending: Sendable {
    case complete
    /// More bytes than the limit; nothing was read.
    case tooLong
    /// The connection ended before the body.
    case short
  }

  private let wanted: Wanted
  /// Where to put the bytes of a range; what `bytes` holds otherwise.
  private let target: UnsafeMutableRawBufferPointer?
  /// What was read, unless it went to a buffer.
  private(set) var bytes: [UInt8] = []
  /// Which bytes of the value those are.
  private(set) var range = 0..<0
  /// All bytes of the value, where the answer says it.
  private(set) var size: Int?
  private var skipped = 0
  private var taken = 0
  private var needed: Int?
  private var isTooLong = false
  /// Whether the body goes on behind what is wanted, so that the connection is given up; others are kept.
  private var goesOn = false
  private(set) var fault: Fault?

  /// Values of servers that know no ranges are kept whole up to this size.
  private static let keptWhole = 32 << 20

  /// Makes a taker.
  ///
  /// - Parameters:
  ///   - wanted: What is wanted.
  ///   - target: Room for the bytes of a range.
  init(_ wanted: Wanted, into target: UnsafeMutableRawBufferPointer? = nil) {
    self.wanted = wanted
    self.target = target
  }

  /// Looks at the head of an answer of the status 200 or 206.
  ///
  /// - Returns: Whether the body is to be read.
  func begin(_ answer: HTTPAnswer) -> Bool {
    bytes.removeAll(keepingCapacity: true)
    (skipped, taken, needed, isTooLong, goesOn, fault, size) = (0, 0, nil, false, false, nil, nil)
    if answer.status == 206 { return beginPart(answer) }
    size = answer.contentLength
    switch wanted {
    case .whole(let limit):
      isTooLong = (size ?? 0) > limit
      if isTooLong { return false }
      needed = size
    case .range(let wanted): range = wanted
    case .start(let count): range = 0..<min(count, size ?? count)
    case .end(let count):
      guard let size else {
        fault = Fault(
          .unsupported, "", "the server sends no part of it and does not say how long it is",
          hint: "shards need a server that knows range requests")
        return false
      }
      range = max(0, size - count)..<size
    }
    if case .whole = wanted { return true }
    // A server that ignores ranges sends all; small values are kept, so that they come once only.
    if let size, target == nil, size <= Self.keptWhole { range = 0..<size }
    needed = range.count
    goesOn = range.upperBound < size ?? Int.max
    return needed != 0 || !goesOn
  }

  private func beginPart(_ answer: HTTPAnswer) -> Bool {
    guard let part = answer.contentRange, let got = part.range, fits(got, part.size) else {
      fault = Fault(
        .truncated, "",
        "the server sends `Content-Range: \(escaped(answer["content-range"] ?? ""))`, "
          + "asked for `\(wanted.header ?? "all bytes")`", hint: "the server does not keep to HTTP")
      return false
    }
    (range, size, needed) = (got, part.size, got.count)
    // Of the last bytes the end is known, where a server does not tell the size.
    if case .end = wanted { size = got.upperBound }
    if let length = answer.contentLength, length != got.count {
      fault = Fault(
        .truncated, "", "the server sends \(length) bytes, its `Content-Range` says \(got.count)")
      return false
    }
    return true
  }

  /// Whether a part is the one that was asked for.
  private func fits(_ got: Range<Int>, _ size: Int?) -> Bool {
    switch wanted {
    case .whole: false
    case .range(let range): got == range
    case .start(let count): size.map { got == 0..<min(count, $0) } ?? false
    case .end(let count):
      size.map { got == max(0, $0 - count)..<$0 }
        ?? (got.count == count || got.lowerBound == 0 && got.count < count)
    }
  }

  /// Takes bytes of the body.
  ///
  /// - Returns: Whether more are wanted.
  func take(_ piece: UnsafeRawBufferPointer, status: Int) -> Bool {
    var piece = piece[...]
    let front = status == 206 ? 0 : range.lowerBound
    if case .whole = wanted {
    } else if skipped < front {
      let count = min(front - skipped, piece.count)
      skipped += count
      piece = piece.dropFirst(count)
    }
    if let needed { piece = piece.prefix(needed - taken) }
    if case .whole(let limit) = wanted, taken + piece.count > limit {
      isTooLong = true
      return false
    }
    if let target {
      UnsafeMutableRawBufferPointer(rebasing: target[taken..<taken + piece.count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
    } else {
      if taken == 0, let needed { bytes.reserveCapacity(needed) }
      bytes.append(contentsOf: piece)
    }
    taken += piece.count
    return !goesOn || taken < needed ?? Int.max
  }

  /// Says what became of the body, when nothing more comes.
  func end() -> Ending {
    if isTooLong { return .tooLong }
    if let needed, taken < needed { return .short }
    if case .whole = wanted {
      range = 0..<taken
      size = taken
    }
    return .complete
  }

  /// How many bytes a value has at least that is too long.
  var lengthSeen: Int {
    let seen = size ?? taken
    guard isTooLong, case .whole(let limit) = wanted else { return seen }
    return max(seen, limit == .max ? limit : limit + 1)
  }
}

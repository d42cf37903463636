package import OMJSON
import Synchronization

/// A chunk of the input that could not be decoded and counts as fill value.
package struct DamagedChunk: Sendable, Equatable {
  /// The array.
  package let path: String
  /// The C-order number of the readable chunk; of a shard as a whole that of its first chunk.
  package let number: Int
  /// The key in the store: of the chunk, or of the shard that holds it.
  package let key: String
  /// The position in the grid of readable chunks; nil for a shard whose index is damaged, all of
  /// which is lost.
  package let position: [Int]?
  /// What is wrong with it.
  package let message: String

  /// Makes the entry of a chunk.
  package init(path: String, number: Int, key: String, position: [Int]?, message: String) {
    self.path = path
    self.number = number
    self.key = key
    self.position = position
    self.message = message
  }

  /// Whether the chunk comes before another one: by array, then in C order.
  package func isBefore(_ other: DamagedChunk) -> Bool {
    path == other.path ? number < other.number : path < other.path
  }
}

/// Takes the damaged chunks of the arrays of one image, so that readers go on behind them.
///
/// A chunk counts once, however many readers and passes meet it. What the log says in the end
/// depends on the chunks that were read only, never on the order of reading.
package final class DamageLog: Sendable {
  /// What a log holds.
  package struct Content: Sendable, Equatable {
    /// The numbers of all damaged chunks by the path of their array.
    package fileprivate(set) var numbers: [String: Set<Int>]
    /// The first of them in order.
    package fileprivate(set) var listed: [DamagedChunk]

    /// Makes a content.
    package init(numbers: [String: Set<Int>] = [:], listed: [DamagedChunk] = []) {
      self.numbers = numbers
      self.listed = listed
    }

    /// How many chunks are damaged.
    package var count: Int { numbers.values.reduce(0) { $0 + $1.count } }
  }

  /// The most chunks that are described.
  package static let listLimit = 1000
  /// The most chunks that may be damaged; an image with more is no image with some damage.
  package static let countLimit = 1_000_000

  private let state = Mutex(Content())

  /// Makes an empty log.
  package init() {}

  /// What was noted so far.
  package var content: Content { state.withLock { $0 } }

  /// Whether a fault of reading one chunk means that its bytes are damaged.
  ///
  /// Bytes that cannot be had (`io`, `permission`, `path`) are no damage: they may be good.
  package static func takes(_ fault: Fault) -> Bool {
    [.codec, .checksum, .truncated, .limit].contains(fault.kind)
  }

  /// Notes a damaged chunk.
  ///
  /// - Throws: A fault of kind `limit` when there are too many.
  package func add(_ chunk: DamagedChunk) throws(Fault) {
    let count = state.withLock { content in
      content.add(chunk)
      return content.numbers[chunk.path]?.count ?? 0
    }
    try DamageLog.check(count, chunk.path)
  }

  /// Takes what another log holds, such as that of another rank.
  ///
  /// - Throws: A fault of kind `limit` when there are too many.
  package func add(_ other: Content) throws(Fault) {
    let counts = state.withLock { content in
      for chunk in other.listed { content.add(chunk) }
      content.numbers.merge(other.numbers) { $0.union($1) }
      return content.numbers.mapValues(\.count)
    }
    for (path, count) in counts { try DamageLog.check(count, path) }
  }

  private static func check(_ count: Int, _ path: String) throws(Fault) {
    if count <= countLimit { return }
    throw Fault(
      .limit, path, "more than \(countLimit) chunks are damaged, so many are not filled")
  }
}

extension DamageLog.Content {
  fileprivate mutating func add(_ chunk: DamagedChunk) {
    guard numbers[chunk.path, default: []].insert(chunk.number).inserted else { return }
    if listed.count == DamageLog.listLimit {
      guard let last = listed.last, chunk.isBefore(last) else { return }
      listed.removeLast()
    }
    listed.insert(chunk, at: listed.firstIndex { chunk.isBefore($0) } ?? listed.endIndex)
  }
}

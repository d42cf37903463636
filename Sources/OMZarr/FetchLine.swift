import OMJSON
import OMStore

/// What may be under way or in hand at once; one piece always may.
struct FetchLimits {
  let count: Int
  let byteCount: Int
}

/// What is wanted from a server in a known order: the next pieces are under way while one is in hand.
///
/// It belongs to one thread; only the fetching is done by others.
final class FetchLine<Item, Value: Sendable> {
  private let items: [Item]
  /// Which item holds a chunk, by the number of the chunk.
  private var places: [Int: Int] = [:]
  private let limits: FetchLimits
  private let size: (Item) -> Int
  private let send: (Item) -> Fetch<Value>
  /// What is under way or in hand, by the place of the item.
  private var fetches: [Int: Fetch<Value>] = [:]
  private var byteCount = 0
  /// The first item that was not sent for.
  private var next = 0
  /// The first item that can still be taken.
  private var place = 0
  /// The item that was taken last.
  private var inHand = -1

  /// Makes a line; nothing is sent for before the first piece is taken.
  ///
  /// - Parameters:
  ///   - items: What is wanted, in the order in which it is taken.
  ///   - limits: What may be under way at once.
  ///   - numbers: The numbers of the chunks that an item holds; each chunk is in one item.
  ///   - size: The bytes that an item has at most.
  ///   - send: Sends for an item.
  init(
    _ items: [Item], limits: FetchLimits, numbers: (Item) -> [Int], size: @escaping (Item) -> Int,
    send: @escaping (Item) -> Fetch<Value>
  ) {
    self.items = items
    self.limits = limits
    self.size = size
    self.send = send
    for (place, item) in items.enumerated() {
      for number in numbers(item) { places[number] = place }
    }
  }

  /// Whether a chunk can still be taken.
  func holds(_ number: Int) -> Bool { (places[number] ?? -1) >= place }

  /// Waits for the item that holds a chunk and sends for those behind it; items before it are passed
  /// over for good.
  ///
  /// - Returns: The item with what came, and whether it comes for the first time; nil when the line
  ///   does not hold the chunk.
  /// - Throws: What fetching it threw.
  func take(_ number: Int) throws(Fault) -> (item: Item, value: Value, isNew: Bool)? {
    guard let wanted = places[number], wanted >= place else { return nil }
    while place < wanted { pass() }
    let isNew = place != inHand
    next = max(next, place)
    while next < items.count && hasRoom(for: items[next]) {
      fetches[next] = send(items[next])
      byteCount += size(items[next])
      next += 1
    }
    guard let fetch = fetches[place] else { return nil }
    inHand = place
    return (items[place], try fetch.value(), isNew)
  }

  private func pass() {
    if fetches.removeValue(forKey: place) != nil { byteCount -= size(items[place]) }
    place += 1
  }

  private func hasRoom(for item: Item) -> Bool {
    fetches.isEmpty
      || fetches.count < limits.count && byteCount + size(item) <= limits.byteCount
  }
}

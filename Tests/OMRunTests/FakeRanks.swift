import Glibc
import OMJSON
import OMStore

@testable import OMRun

/// Ranks within this process, a thread each; what waits too long is a fault and not a hanging test.
final class FakeRanks: @unchecked Sendable {
  // Sendable by rule: `mail` is only touched while `mutex` is held.
  private struct Route: Hashable {
    var from: Int
    var to: Int
    var tag: Int
  }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var mail: [Route: [[UInt8]]] = [:]
  private let patience: Int

  /// Makes ranks that wait at most this many seconds for each other.
  init(patience: Int = 10) {
    self.patience = patience
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(arrival, nil)
  }

  deinit {
    pthread_cond_destroy(arrival)
    pthread_mutex_destroy(mutex)
    arrival.deallocate()
    mutex.deallocate()
  }

  func put(_ bytes: [UInt8], from: Int, to: Int, tag: Int) {
    pthread_mutex_lock(mutex)
    mail[Route(from: from, to: to, tag: tag), default: []].append(bytes)
    pthread_cond_broadcast(arrival)
    pthread_mutex_unlock(mutex)
  }

  func take(from: Int, to: Int, tag: Int) throws(Fault) -> [UInt8] {
    var until = timespec()
    clock_gettime(CLOCK_REALTIME, &until)
    until.tv_sec += patience
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let route = Route(from: from, to: to, tag: tag)
    while mail[route]?.isEmpty ?? true {
      if pthread_cond_timedwait(arrival, mutex, &until) != 0 {
        throw Fault(.stalled, "", "rank \(to) waits in vain for rank \(from), tag \(tag)")
      }
    }
    return mail[route, default: []].removeFirst()
  }

  /// Messages that nobody took.
  var leftOver: Int {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return mail.values.reduce(0) { $0 + $1.count }
  }

  /// Calls `body` on every rank at once; the results in the order of ranks.
  func run<Value: Sendable>(
    _ count: Int, _ body: @Sendable (FakeRank) throws -> Value
  ) -> [Result<Value, any Error>] {
    let results = Results<Value>(count)
    inParallel(count) { rank in
      results.set(rank, Result { try body(FakeRank(rank: rank, size: count, ranks: self)) })
    }
    return results.all
  }
}

/// Results of several threads, each of which sets its own.
private final class Results<Value: Sendable>: @unchecked Sendable {
  private let room: UnsafeMutablePointer<Result<Value, any Error>?>
  private let count: Int

  init(_ count: Int) {
    self.count = count
    room = .allocate(capacity: count)
    room.initialize(repeating: nil, count: count)
  }

  deinit {
    room.deinitialize(count: count)
    room.deallocate()
  }

  func set(_ index: Int, _ result: Result<Value, any Error>) { room[index] = result }

  var all: [Result<Value, any Error>] { (0..<count).compactMap { room[$0] } }
}

/// One of several ranks within this process.
///
/// Every kind of collective call has messages of its own, so that ranks that call different ones
/// wait in vain, as they would under MPI.
struct FakeRank: Communicator {
  let rank: Int
  let size: Int
  let ranks: FakeRanks

  private enum Call: Int {
    case exchange = -1
    case gatherAll = -2
    case broadcast = -3
  }

  func send(_ bytes: [UInt8], to rank: Int, tag: Int32) throws(Fault) {
    ranks.put(bytes, from: self.rank, to: rank, tag: Int(tag))
  }

  func receive(from rank: Int, tag: Int32) throws(Fault) -> [UInt8] {
    try ranks.take(from: rank, to: self.rank, tag: Int(tag))
  }

  func exchange(_ outgoing: [[UInt8]]) throws(Fault) -> [[UInt8]] {
    try share(outgoing, .exchange)
  }

  func gatherAll(_ bytes: [UInt8]) throws(Fault) -> [[UInt8]] {
    try share(Array(repeating: bytes, count: size), .gatherAll)
  }

  func broadcast(_ bytes: [UInt8]) throws(Fault) -> [UInt8] {
    try share(
      Array(repeating: rank == 0 ? bytes : [], count: size), .broadcast)[0]
  }

  private func share(_ outgoing: [[UInt8]], _ call: Call) throws(Fault) -> [[UInt8]] {
    for (to, bytes) in outgoing.enumerated() {
      ranks.put(bytes, from: rank, to: to, tag: call.rawValue)
    }
    var incoming: [[UInt8]] = []
    for from in 0..<size {
      incoming.append(try ranks.take(from: from, to: rank, tag: call.rawValue))
    }
    return incoming
  }
}

import Synchronization

/// Which buckets store objects under conditions: found out once by a process.
final class KnownConditions: Sendable {
  /// What this process knows.
  static let shared = KnownConditions()

  private let buckets = Mutex<[String: Bool]>([:])

  /// What is known of a bucket.
  func of(_ bucket: String) -> Bool? { buckets.withLock { $0[bucket] } }

  /// Remembers what was found out.
  func set(_ bucket: String, _ isKnown: Bool) { buckets.withLock { $0[bucket] = isKnown } }
}

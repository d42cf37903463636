import Glibc
import OMJSON
import OMStore

/// A document in a bucket that several processes change.
struct BucketDocument: Sendable {
  let bucket: Bucket
  let key: String
  let rules: LockRules
  /// Whether the bucket stores objects under conditions; elsewhere nobody else may write.
  let hasConditions: Bool

  /// Names a document.
  init(bucket: Bucket, key: String, rules: LockRules, hasConditions: Bool) {
    self.bucket = bucket
    self.key = key
    self.rules = rules
    self.hasConditions = hasConditions
  }

  /// How often a document is read again that others keep changing.
  private static let tries = 10

  /// Changes the document.
  ///
  /// - Parameter make: Makes the new document of the bytes that are there, nil for none; nil leaves
  ///   them. It is called again for every version that another process wrote meanwhile.
  /// - Throws: `locked` when others keep changing it, and what `make`, reading and writing throws.
  func change(_ make: ([UInt8]?) throws(Fault) -> [UInt8]?) throws(Fault) {
    for attempt in 0..<Self.tries {
      try rules.check()
      let present = try bucket.read(key)
      guard let next = try make(present?.bytes) else { return }
      if next.count > JSON.maximumBytes {
        throw Fault(
          .limit, joinedPath,
          "it would have \(next.count) bytes, expected at most \(JSON.maximumBytes)")
      }
      if try bucket.put(key, next, if: condition(present)) { return }
      usleep(UInt32.random(in: 5_000...(20_000 << UInt32(min(attempt, 6)))))
    }
    throw Fault(
      .locked, joinedPath, "other processes keep changing it",
      hint: "run the command again; what is made is kept")
  }

  /// A document of a bucket of which this process may know more.
  init(_ bucket: Bucket, _ key: String, _ rules: LockRules) {
    self.init(
      bucket: bucket, key: key, rules: rules,
      hasConditions: KnownConditions.shared.of(bucket.description) ?? true)
  }

  private var joinedPath: String { "\(bucket.description)/\(key)" }

  private func condition(_ present: Bucket.Object?) throws(Fault) -> Bucket.Condition {
    guard hasConditions else { return .none }
    guard let present else { return .absent }
    guard let tag = present.tag else {
      throw Fault(.unsupported, joinedPath, "the server does not say which version it sends")
    }
    return .unchanged(tag)
  }
}

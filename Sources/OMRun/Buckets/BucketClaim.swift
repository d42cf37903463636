import OMImage
import OMJSON
import OMStore

/// Who makes a hierarchy in a bucket: an object in it that one run can store, and that goes last.
///
/// As long as it is there something is left to do: to store the rest, to remove what was replaced.
struct BucketClaim: Sendable {
  /// The run.
  let runID: String
  /// The process; nil when the claim does not say.
  let holder: LockHolder?
  /// What tells it from another claim.
  let tag: String?

  /// Its name below the hierarchy.
  static let name = ".omtask-run"

  /// Its key.
  static func key(_ node: String) -> String { joinedKey(node, name) }

  /// The claim of a hierarchy; nil when nobody has one.
  static func read(_ bucket: Bucket, _ node: String) throws(Fault) -> BucketClaim? {
    guard let object = try bucket.read(key(node)) else { return nil }
    let json = try? JSON(parsing: object.bytes, subject: key(node))
    return BucketClaim(
      runID: json?["run_id"]?.stringValue ?? "", holder: json?["holder"].flatMap(LockHolder.init),
      tag: object.tag)
  }

  /// The bytes of a claim.
  static func bytes(_ runID: String, _ holder: LockHolder) -> [UInt8] {
    let json: JSON = ["run_id": .string(runID), "holder": holder.json]
    return json.bytes(indent: 2)
  }

  /// Another run is about the place.
  func isTaken(_ place: String) -> Fault {
    let who = holder.map { "\($0)" } ?? "a process that it does not name"
    return Fault(
      .locked, place, "another run (\(runID)) makes it: \(who)",
      hint: "wait until it has ended; `omtask clean` removes what a run left that is gone")
  }
}

extension BucketClaim {
  /// Claims a hierarchy for a run, and finds out whether the bucket knows conditions.
  ///
  /// *Local*, rank 0.
  ///
  /// - Parameters:
  ///   - bucket: The bucket.
  ///   - node: The key of the hierarchy.
  ///   - runID: The run.
  ///   - rules: Who claims it.
  /// - Returns: Whether the bucket knows conditions.
  /// - Throws: `locked` when another run has it, `exists` when something else lies there, `permission`
  ///   for who may not write.
  static func take(
    _ bucket: Bucket, _ node: String, _ runID: String, _ rules: LockRules
  ) throws(Fault) -> Bool {
    let place = joinedKey(bucket.description, node)
    let bytes = bytes(runID, rules.holder)
    // A server that passes over conditions would let it replace the claim of another run.
    if let claim = try read(bucket, node) {
      if claim.runID != runID { throw claim.isTaken(place) }
      if let tag = claim.tag { _ = try? bucket.put(key(node), bytes, if: .unchanged(tag)) }
      return try tests(bucket, node, bytes)
    }
    let isStored: Bool
    do throws(Fault) {
      isStored = try bucket.put(key(node), bytes, if: .absent)
    } catch {
      guard error.kind == .unsupported else { throw error }
      KnownConditions.shared.set(bucket.description, false)
      _ = try bucket.put(key(node), bytes)
      return false
    }
    if !isStored {
      // A try whose answer was lost may have been ours.
      let claim = try read(bucket, node)
      if let claim, claim.runID != runID { throw claim.isTaken(place) }
    }
    return try tests(bucket, node, bytes)
  }

  /// Whether the bucket refuses to store a claim anew that is there; nothing changes by that.
  private static func tests(
    _ bucket: Bucket, _ node: String, _ bytes: [UInt8]
  ) throws(Fault) -> Bool {
    if let isKnown = KnownConditions.shared.of(bucket.description) { return isKnown }
    let other = "\"00000000000000000000000000000000\""
    do throws(Fault) {
      var isKnown = true
      for condition in [Bucket.Condition.absent, .unchanged(other)] where isKnown {
        isKnown = try !bucket.put(key(node), bytes, if: condition)
      }
      KnownConditions.shared.set(bucket.description, isKnown)
      return isKnown
    } catch {
      guard error.kind == .unsupported else { throw error }
      KnownConditions.shared.set(bucket.description, false)
      return false
    }
  }

  /// Gives a claim of this run up.
  static func release(_ bucket: Bucket, _ node: String, _ runID: String) throws(Fault) {
    guard let claim = try read(bucket, node), claim.runID == runID else { return }
    try bucket.remove(key(node))
  }
}

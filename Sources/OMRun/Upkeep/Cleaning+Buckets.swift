import OMImage
package import OMJSON
import OMStore

// What runs left in a bucket that were killed while they stored their results.

extension Cleaning {
  /// Removes what runs left below a place in a bucket, but for those at work.
  ///
  /// What runs store that is not complete lies below their claims, so those are looked for.
  ///
  /// - Parameters:
  ///   - uri: An image, plate or well, or an output that may not be there yet.
  ///   - force: Whether claims of processes on other machines go, of which nobody here can tell
  ///     whether they are at work.
  /// - Throws: What listing the bucket gives.
  package mutating func clean(bucket uri: String, force: Bool) throws(Fault) {
    let store = try RemoteStore(uri)
    guard let bucket = Bucket(store) else { return }
    for entry in try bucket.entries(below: "") {
      guard entry.key == BucketClaim.name || entry.key.hasSuffix("/" + BucketClaim.name) else {
        continue
      }
      let node = String(entry.key.dropLast(BucketClaim.name.count))
      let key = node.hasSuffix("/") ? String(node.dropLast()) : node
      do throws(Fault) {
        try clean(key, in: store, bucket, force: force)
      } catch { note(error, joinedKey(store.description, key)) }
    }
  }

  private mutating func clean(
    _ key: String, in store: RemoteStore, _ bucket: Bucket, force: Bool
  ) throws(Fault) {
    guard let claim = try BucketClaim.read(bucket, key) else { return }
    let place = joinedKey(store.description, key)
    let who = claim.holder.map { "\($0)" } ?? "a process that it does not name"
    let hasEnded = claim.holder?.hasEnded ?? true
    if claim.holder?.isAlive ?? false {
      throw Fault(.locked, place, "\(who) is at work there")
    }
    if !hasEnded && !force {
      throw Fault(
        .locked, place,
        "\(who) may be at work there, which cannot be told here; `--force` removes it all the same")
    }
    let run = BucketNode(
      bucket: bucket, store: store, key: key, runID: claim.runID, rules: .forUpkeep,
      hasConditions: true)
    if try run.isInPlace() {
      _ = try run.removeReplaced()
      try BucketClaim.release(bucket, key, claim.runID)
      return removed(joinedKey(place, BucketClaim.name), bytes: 0)
    }
    let left = try run.discard()
    removed(place, bytes: left.bytes)
  }
}

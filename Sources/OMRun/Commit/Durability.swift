/// What of a result waits until it is on the disk.
package enum Durability: String, Sendable, CaseIterable {
  /// Nothing: the system writes when it likes; a power cut may lose a result that was reported.
  case none
  /// All of a result, once, before it becomes visible.
  case commit
  /// Every write unit when it is staged, so that a power cut loses no more than a kill does.
  case shard
}

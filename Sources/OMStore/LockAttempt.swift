import Glibc
import OMJSON

/// One process's attempt to take a lock, with a file of its own that it tries to give the lock's name.
struct LockAttempt {
  private let place: LockPlace
  private let holder: LockHolder
  private(set) var file: OwnLockFile
  private var ownName: String

  /// What was found under the lock's name.
  enum Finding {
    case free
    case broken(LockState)
    case held(LockState)
  }

  init(_ place: LockPlace, _ holder: LockHolder) throws(Fault) {
    self.place = place
    self.holder = holder
    (file, ownName) = try place.makeOwnFile(holder)
  }

  /// Tries once; false when somebody else holds the lock.
  mutating func take() throws(Fault) -> Bool {
    guard try seize(place.name) else { return false }
    let file = file
    try place.sweep(at: { (try? file.serverTime()) ?? 0 }, besides: ownName)
    place.remove(ownName)
    return true
  }

  /// Gives our own file a name; false when the name is taken.
  private mutating func seize(_ name: String) throws(Fault) -> Bool {
    do {
      try place.link(ownName, name)
      return true
    } catch {
      if error.code == EEXIST {
        // A file server that repeats a call says so of a name that we have just made.
        return (try? place.identity(of: name)) == file.identity
      }
      guard error.code == ENOENT else {
        throw place.folder.fault(error, place.name, "taking the lock")
      }
      // Somebody took the file for one that was left, while this process was stopped.
      (file, ownName) = try place.makeOwnFile(holder)
      return false
    }
  }

  /// Looks who holds the lock, and replaces it by our own when its holder has left it.
  mutating func look() throws(Fault) -> Finding {
    let now: Int
    do { now = try file.serverTime() } catch { throw error.fault(place.path, "waiting for it") }
    guard let found = try place.folder.findLockFile(place.name) else { return .free }
    let state = found.state(at: now)
    guard state.isStale else { return .held(state) }
    return try replace(found, place.name, now)
  }

  /// Puts our own file in the place of one whose holder has left it.
  ///
  /// - Parameters:
  ///   - found: The file, which was found some time ago.
  ///   - name: The name under which it was found.
  ///   - now: The time of the file server.
  ///   - depth: How many rights to replace are replaced.
  /// - Returns: `broken` when our own file has the name now, `held` when somebody else is about it.
  /// - Throws: What looking and renaming throws.
  mutating func replace(
    _ found: FoundLockFile, _ name: String, _ now: Int, depth: Int = 0
  ) throws(Fault) -> Finding {
    let right = place.right(toReplace: found)
    if try !seize(right) {
      guard let other = try place.folder.findLockFile(right) else { return .free }
      let state = other.state(at: now)
      guard state.isStale, depth < LockAttempt.deepest else { return .held(state) }
      let finding = try replace(other, right, now, depth: depth + 1)
      guard case .broken = finding else { return finding }
    }
    // From here on nobody but us replaces or removes it, if it is still there.
    defer { place.giveUp(right, file) }
    guard try place.leads(name, to: found) else { return .free }
    do { try place.rename(right, name) } catch {
      if error.code == ENOENT { return .free }
      throw error.fault(place.path, "replacing the lock")
    }
    let isOurs = (try? place.identity(of: name)) == file.identity
    return isOurs ? .broken(found.state(at: now)) : .free
  }

  /// So many processes one after the other may have ended while they replaced a lock.
  private static let deepest = 16

  /// Ends the attempt and leaves nothing behind.
  func withdraw() {
    place.giveUp(place.name, file)
    place.remove(ownName)
  }
}

/// The time that may be spent on waiting for a lock.
package struct LockWait {
  private let start = monotonicSeconds()
  private let patience: Double
  private var nextLook = 0.005
  private var extraTries = 20

  /// Begins to wait.
  package init(_ patience: Double) { self.patience = patience }

  private var waited: Double { monotonicSeconds() - start }

  /// Whether the time is up.
  package var isOver: Bool { waited >= patience }

  /// The seconds that are left.
  package var left: Double { max(0, patience - waited) }

  /// Whether to look who holds the lock: soon, then every second, and at the end.
  var isTimeToLook: Bool {
    mutating get {
      let waited = waited
      if waited >= patience { return true }
      if waited < nextLook { return false }
      nextLook = waited + 1
      return true
    }
  }

  /// Whether a lock that has just become free is worth one more try though the time is up.
  mutating func mayTryOnceMore() -> Bool {
    extraTries -= 1
    return extraTries >= 0
  }

  /// Waits a little, at random so that others do not come at the same moment.
  package func pause() {
    let longest = waited < 5 ? 0.01 : 0.25
    let left = max(0.001, patience - waited)
    usleep(UInt32(Double.random(in: 0.1...1) * min(longest, left) * 1e6))
  }
}

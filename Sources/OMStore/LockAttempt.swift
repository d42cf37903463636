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
    do {
      try place.link(ownName, place.name)
    } catch {
      if error.code == ENOENT {
        // Somebody took the file for one that was left, while this process was stopped.
        (file, ownName) = try place.makeOwnFile(holder)
        return false
      }
      if error.code != EEXIST {
        throw error.fault(place.path, "taking the lock")
      }
      // A file server that repeats a call says so of a name that we have just made.
      guard (try? place.identity(of: place.name)) == file.identity else { return false }
    }
    guard try place.isAlone(file, besides: ownName) else { return false }
    place.remove(ownName)
    return true
  }

  /// Looks who holds the lock, and removes it when its holder has left it.
  func look() throws(Fault) -> Finding {
    let now: Int
    do { now = try file.serverTime() } catch { throw error.fault(place.path, "waiting for it") }
    guard let found = try place.folder.findLockFile(place.name) else { return .free }
    let state = found.state(at: now)
    guard state.isStale else { return .held(state) }
    return try place.breakLock(found) ? .broken(state) : .free
  }

  /// Ends the attempt and leaves nothing behind.
  func withdraw() {
    place.giveUp(file)
    place.remove(ownName)
  }
}

/// The time that may be spent on waiting for a lock.
struct LockWait {
  private let start = monotonicSeconds()
  private let patience: Double
  private var nextLook = 0.005
  private var extraTries = 20

  init(_ patience: Double) { self.patience = patience }

  private var waited: Double { monotonicSeconds() - start }

  /// Whether the time is up.
  var isOver: Bool { waited >= patience }

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
  func pause() {
    let longest = waited < 5 ? 0.01 : 0.25
    let left = max(0.001, patience - waited)
    usleep(UInt32(Double.random(in: 0.1...1) * min(longest, left) * 1e6))
  }
}

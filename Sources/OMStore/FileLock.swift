package import OMJSON
import Synchronization

/// A lock that also holds between machines that share a disk, without a lock server.
///
/// A lock is a name that leads to the file of its holder. Making a second name for a file (`link`) is
/// one step on every file system we know, local or not, and fails when the name is taken. The holder
/// touches its file every 20 s. Who finds a lock whose holder has ended, or has shown no sign of life
/// for 60 s by the file server's clock, replaces it; the right to do so is a lock of its own.
///
/// All calls are local and may come from any thread. The lock is given back with the last reference
/// at the latest.
package final class FileLock: Sendable {
  private let place: LockPlace
  private let file: OwnLockFile
  private let isReleased = Mutex(false)

  private init(_ place: LockPlace, _ file: OwnLockFile) {
    self.place = place
    self.file = file
  }

  deinit { release() }

  /// When its file was made, in nanoseconds of the file server's clock.
  package var time: Int { file.made }

  /// Takes a lock, waiting for it if need be.
  ///
  /// - Parameters:
  ///   - name: The name of the lock.
  ///   - folder: The folder it is in; nothing else there may begin with the name and a dot.
  ///   - holder: Who takes it; several ranks take a lock together.
  ///   - patience: Seconds to wait.
  ///   - onBreak: Called with a warning when a lock was removed whose holder had left it.
  ///   - whileWaiting: Called before each pause; what it throws ends the waiting.
  /// - Returns: The lock, which is held.
  /// - Throws: Kind `locked` when somebody else keeps it, `missing` when somebody removed the folder,
  ///   `path` when there is a link in its place, `io` and `permission` from the disk.
  package static func acquire(
    _ name: String, in folder: OutputFolder, holder: LockHolder = .thisProcess(),
    patience: Double, onBreak: (String) -> Void = { _ in },
    whileWaiting: () throws(Fault) -> Void = {}
  ) throws(Fault) -> FileLock {
    let place = LockPlace(folder: folder, name: name)
    var attempt = try LockAttempt(place, holder)
    do throws(Fault) {
      var wait = LockWait(patience)
      while true {
        if try attempt.take() { break }
        if wait.isTimeToLook {
          let finding = try attempt.look()
          switch finding {
          case .free: if wait.mayTryOnceMore() { continue }
          case .broken(let state):
            onBreak("removed the lock `\(place.path)` that was left by \(state)")
            continue
          case .held: break
          }
          if wait.isOver { throw place.heldFault(finding, waited: patience) }
        }
        try whileWaiting()
        wait.pause()
      }
    } catch {
      attempt.withdraw()
      throw error
    }
    LockHeartbeat.shared.add(attempt.file)
    return FileLock(place, attempt.file)
  }

  /// Whether the lock is still ours, asked before a step that cannot be undone.
  ///
  /// When it is, nobody can take it for one that was left during the next 60 s. It is not when this
  /// process was stopped for longer than that, or the file server could not be reached.
  package func isHeld() -> Bool {
    if isReleased.withLock({ $0 }) { return false }
    do {
      // In this order: who wants to replace it sees that it has changed.
      try file.beat()
      return try place.identity(of: place.name) == file.identity
    } catch { return false }
  }

  /// Gives the lock back; never removes that of somebody else.
  package func release() {
    let isFirst = isReleased.withLock { isReleased in
      defer { isReleased = true }
      return !isReleased
    }
    guard isFirst else { return }
    LockHeartbeat.shared.remove(file)
    place.giveUp(place.name, file)
  }

  /// Looks at a lock without taking it or writing anything, or nil when nobody holds it.
  ///
  /// - Parameters:
  ///   - name: The name of the lock.
  ///   - folder: The folder it is in.
  /// - Returns: The holder, and whether it has left the lock; for a holder on another machine that
  ///   goes by the clock of this one, so it is good for telling people and not for breaking locks.
  /// - Throws: Kind `path` when there is a link in its place, `io` and `permission` from the disk.
  package static func look(
    _ name: String, in folder: OutputFolder
  ) throws(Fault) -> LockState? {
    guard let found = try folder.findLockFile(name) else { return nil }
    return found.state(at: realTime())
  }

  /// Removes the files of processes that have ended from beside a lock, which stays.
  ///
  /// - Parameters:
  ///   - name: The name of the lock.
  ///   - folder: The folder it is in.
  /// - Throws: `io` and `permission` from the disk.
  package static func sweep(_ name: String, in folder: OutputFolder) throws(Fault) {
    let place = LockPlace(folder: folder, name: name)
    try place.sweep { place.serverTime() }
  }
}

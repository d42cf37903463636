import Glibc
import OMJSON

/// Where a lock is: its name and the names beside it.
///
/// `NAME` is the lock, `NAME.<own>` the file of somebody who wants it. `NAME.after.<token>` is the
/// right to replace the file with that token, and a lock like any other: nobody removes, moves or
/// replaces a lock without it, so what was judged is what is replaced, however late
/// (Tests/Model/lock.pml).
struct LockPlace: Sendable {
  let folder: OutputFolder
  let name: String

  /// For messages.
  var path: String { folder.path(of: name) }

  private var rightPrefix: String { "\(name).after." }

  /// The name of the right to replace a file.
  func right(toReplace found: FoundLockFile) -> String { rightPrefix + found.token }

  /// Makes the file of somebody who wants the lock.
  func makeOwnFile(_ holder: LockHolder) throws(Fault) -> (OwnLockFile, name: String) {
    let ownName = LockFileName.fresh(name)
    do {
      return (try folder.makeLockFile(ownName, holder), ownName)
    } catch {
      if error.code != ENOENT { remove(ownName) }
      throw folder.fault(error, name, "making the lock")
    }
  }

  /// Gives a file a second name; where a file can have one name only, it is moved.
  func link(_ old: String, _ new: String) throws(Errno) {
    let number = folder.descriptor.number
    do {
      _ = try system { linkat(number, old, number, new, 0) }
    } catch {
      guard [EPERM, ENOSYS, ENOTSUP, EMLINK].contains(error.code) else { throw error }
      try folder.renameToFree(old, folder, new)
    }
  }

  /// Moves a file to a name, which loses the file that it led to.
  func rename(_ old: String, _ new: String) throws(Errno) {
    let number = folder.descriptor.number
    _ = try system { renameat(number, old, number, new) }
  }

  /// Which file has a name.
  func identity(of name: String) throws(Errno) -> FileIdentity? { try folder.identity(of: name) }

  /// Removes a name; it may be gone already.
  func remove(_ name: String) { _ = unlinkat(folder.descriptor.number, name, 0) }

  /// The time of the file server in nanoseconds; that of this machine where we may not write.
  func serverTime() -> Int {
    if let (file, name) = try? makeOwnFile(.thisProcess()) {
      defer { remove(name) }
      if let time = try? file.serverTime() { return time }
    }
    return Int(time(nil)) * 1_000_000_000
  }

  /// Whether a name still leads to a file as it was found.
  func leads(_ name: String, to found: FoundLockFile) throws(Fault) -> Bool {
    guard let now = try folder.findLockFile(name) else { return false }
    return now.identity == found.identity && now.modified == found.modified
  }

  /// Gives up the lock, or the right to replace one; that of another is not touched.
  func giveUp(_ name: String, _ own: OwnLockFile) {
    if (try? identity(of: name)) == own.identity { remove(name) }
  }

  /// Removes what processes left beside the lock that have ended.
  ///
  /// - Parameters:
  ///   - time: The time of the file server; asked only when there is anything.
  ///   - ownName: A name that stays.
  /// - Throws: What listing throws.
  func sweep(at time: () -> Int, besides ownName: String? = nil) throws(Fault) {
    let entries = try folder.list().filter { $0.hasPrefix("\(name).") && $0 != ownName }
    if entries.isEmpty { return }
    let time = time()
    var left: [String] = []
    var rights: Set<String> = []
    for entry in entries + [name] {
      guard let found = try? folder.findLockFile(entry) else { continue }
      rights.insert(right(toReplace: found))
      let isLeft = found.state(at: time).isStale || LockFileName.isOfEnded(entry, name)
      if isLeft && entry != name { left.append(entry) }
    }
    // A right means nothing once the file that it is about is nowhere any more.
    for entry in left where !rights.contains(entry) { remove(entry) }
  }

  /// The fault of somebody who has waited long enough.
  func heldFault(_ finding: LockAttempt.Finding, waited: Double) -> Fault {
    var owner = "others, one after the other"
    if case .held(let state) = finding { owner = state.description }
    return Fault(
      .locked, path, "the lock is held by \(owner); waited \(Int(waited)) s",
      hint: "wait until that has ended, or raise `--lock-wait`; `omtask runs` shows who is at work")
  }
}

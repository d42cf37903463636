import Glibc
import OMJSON

/// Where a lock is: its name and the names beside it.
///
/// `NAME` is the lock, `NAME.<random>` the file of somebody who wants it, `NAME.broken.<random>` a
/// lock that was moved aside and is looked at. Whoever finds that he moved the wrong one puts it
/// back; until then a lock aside holds as if it were in its place.
struct LockPlace: Sendable {
  let folder: OutputFolder
  let name: String

  /// For messages.
  var path: String { folder.path(of: name) }

  private var asidePrefix: String { "\(name).broken." }

  private func randomName(_ prefix: String) -> String {
    prefix + String(UInt64.random(in: 0...(.max)), radix: 16)
  }

  /// Makes the file of somebody who wants the lock.
  func makeOwnFile(_ holder: LockHolder) throws(Fault) -> (OwnLockFile, name: String) {
    let ownName = randomName("\(name).")
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

  /// Which file has a name.
  func identity(of name: String) throws(Errno) -> FileIdentity? { try folder.identity(of: name) }

  /// Removes a name; it may be gone already.
  func remove(_ name: String) { _ = unlinkat(folder.descriptor.number, name, 0) }

  /// Whether who has just taken the lock may keep it.
  ///
  /// What others left behind is removed. When the lock of somebody who lives lies aside, it holds:
  /// ours is given up and that one put back.
  func isAlone(_ own: OwnLockFile, besides ownName: String) throws(Fault) -> Bool {
    var displaced: [String] = []
    var seesOwn = false
    for entry in try folder.list() where entry.hasPrefix("\(name).") && entry != ownName {
      guard let found = try? folder.findLockFile(entry) else { continue }
      if found.identity == own.identity {
        seesOwn = true
      } else if (try? found.state(at: own.serverTime()).isStale) == true {
        remove(entry)
      } else if entry.hasPrefix(asidePrefix) {
        displaced.append(entry)
      }
    }
    let isOurs = !seesOwn || (try? identity(of: name)) == own.identity
    if displaced.isEmpty && isOurs { return true }
    giveUp(own)
    for entry in displaced { putBack(entry) }
    return false
  }
}

// MARK: - Moving locks

extension LockPlace {
  /// Moves the lock aside; nil when there is none.
  private func moveAside() throws(Errno) -> String? {
    let aside = randomName(asidePrefix)
    let number = folder.descriptor.number
    do {
      _ = try system { renameat(number, name, number, aside) }
      return aside
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }

  /// Removes a lock that was found to be left; false when it is another by now, or lives again.
  func breakLock(_ found: FoundLockFile) throws(Fault) -> Bool {
    let aside: String?
    do { aside = try moveAside() } catch { throw error.fault(path, "removing the lock") }
    guard let aside else { return false }
    if let now = try? folder.findLockFile(aside), now.identity == found.identity,
      now.modified == found.modified
    {
      remove(aside)
      return true
    }
    putBack(aside)
    return false
  }

  /// Puts a lock back that was moved aside by mistake.
  private func putBack(_ aside: String) {
    // Who took the name meanwhile sees the lock aside and gives way.
    for _ in 0..<1000 {
      do {
        try link(aside, name)
        return remove(aside)
      } catch {
        if error.code != EEXIST { return }
      }
      let lock = try? identity(of: name)
      if lock != nil && lock == (try? identity(of: aside)) { return remove(aside) }
      usleep(UInt32.random(in: 1000...5000))
    }
  }

  /// Puts our own lock back when somebody moved it aside by mistake; false when it is gone.
  func takeBack(_ own: OwnLockFile) throws(Errno) -> Bool {
    for _ in 0..<100 {
      let aside = asides(of: own)
      for entry in aside {
        do { try link(entry, name) } catch {
          if error.code != EEXIST && error.code != ENOENT { throw error }
        }
      }
      if try identity(of: name) == own.identity { return true }
      if own.isGone || aside.isEmpty { return false }
      usleep(UInt32.random(in: 1000...5000))
    }
    return false
  }

  /// Removes every name of our own lock, and no other.
  func giveUp(_ own: OwnLockFile) {
    for _ in 0..<100 {
      var wasThere = false
      if (try? identity(of: name)) == own.identity, let aside = try? moveAside() {
        // It may have been another's when it was moved.
        if (try? identity(of: aside)) == own.identity { remove(aside) } else { putBack(aside) }
        wasThere = true
      }
      if own.isGone { return }
      for entry in asides(of: own) {
        remove(entry)
        wasThere = true
      }
      // Somebody may have put it back between the two looks.
      if !wasThere { return }
    }
  }

  /// The names under which our own lock lies aside.
  private func asides(of own: OwnLockFile) -> [String] {
    let names = (try? folder.list()) ?? []
    return names.filter {
      $0.hasPrefix(asidePrefix) && (try? identity(of: $0)) == own.identity
    }
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

import OMImage
import OMJSON
import OMStore

/// The locks of places of images: who holds them runs a program there, or replaces what is there.
struct PlaceLocks: Sendable {
  private struct Entry: Sendable {
    let lock: FileLock
    /// Where its folder lies, and the name of that; nil for a folder that others look after.
    let folder: (holder: OutputFolder, name: String)?
  }

  private let entries: [Entry]

  /// So many places are locked at most: a lock costs an open file and a sign of life now and then.
  static let most = 64

  private static let tries = 50

  /// Takes the locks, in the order of paths so that no two processes wait for each other.
  ///
  /// - Parameters:
  ///   - images: The images, or the plates that they are in. Beside those of a folder that cannot be
  ///     written to nobody else takes a lock either.
  ///   - home: The folder of runs that is held already; a lock in it needs no folder of its own.
  ///   - rules: How locks are taken.
  ///   - wait: How long.
  /// - Throws: A fault of kind `locked` when another process keeps one.
  init(
    _ images: [SeparatePath], besides home: OutputFolder, _ rules: LockRules, _ wait: LockWait
  ) throws(Fault) {
    var entries: [Entry] = []
    do throws(Fault) {
      for image in images.sorted(by: { $0.uri < $1.uri }).prefix(Self.most) {
        if joinedKey(image.parent, image.stages) == home.path {
          entries.append(Entry(lock: try Self.lock(home, rules, wait), folder: nil))
          continue
        }
        do throws(Fault) {
          let holder = try OutputFolder(path: image.parent)
          let lock = try Self.lock(holder, image.stages, rules, wait)
          entries.append(Entry(lock: lock, folder: (holder, image.stages)))
        } catch {
          if error.kind != .permission { throw error }
        }
      }
    } catch {
      PlaceLocks(entries).release()
      throw error
    }
    self.init(entries)
  }

  private init(_ entries: [Entry]) { self.entries = entries }

  private static func lock(
    _ holder: OutputFolder, _ name: String, _ rules: LockRules, _ wait: LockWait
  ) throws(Fault) -> FileLock {
    for _ in 0..<tries {
      do throws(Fault) {
        return try lock(holder.makeFolder(name), rules, wait)
      } catch {
        // Who held the lock before has removed the folder.
        if error.kind != .missing { throw error }
      }
    }
    throw Fault(
      .locked, joinedKey(holder.path, name), "other processes keep removing it",
      hint: "run the command again")
  }

  private static func lock(
    _ folder: OutputFolder, _ rules: LockRules, _ wait: LockWait
  ) throws(Fault) -> FileLock {
    try FileLock.acquire(
      SeparateCommitter.lock.name, in: folder, holder: rules.holder, patience: wait.left,
      onBreak: rules.warn, whileWaiting: rules.check)
  }

  /// Gives all locks back; folders in which nothing else is go.
  func release() {
    for entry in entries.reversed() {
      entry.lock.release()
      if let folder = entry.folder { try? folder.holder.removeIfEmpty(folder.name) }
    }
  }
}

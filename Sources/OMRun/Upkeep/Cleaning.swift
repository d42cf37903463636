import OMImage
package import OMJSON
import OMStore

/// Removes what unfinished runs left, but for those at which somebody works.
package struct Cleaning: Sendable {
  /// Something that was removed.
  package struct Removed: Sendable {
    /// What it was.
    package let path: String
    /// The bytes of its files.
    package let bytes: Int
  }

  /// Something that was left alone.
  package struct Kept: Sendable {
    /// What it is.
    package let path: String
    /// Why it was left.
    package let reason: String
  }

  /// What was removed.
  package private(set) var removed: [Removed] = []
  /// What was left alone.
  package private(set) var kept: [Kept] = []
  /// What was given back to its place.
  package private(set) var restored: [String] = []
  /// Why something could not be removed.
  package private(set) var faults: [Fault] = []

  /// Removes nothing yet.
  package init() {}

  /// Removes what is in a hidden folder, and the folder when nothing is left in it.
  package mutating func clean(_ folder: StageFolder) {
    do throws(Fault) {
      let stages = try folder.open()
      for name in try stages.list() where StageFolder.isRunID(name) {
        do throws(Fault) {
          try remove(name, in: stages, of: folder)
        } catch { note(error, "\(stages.path)/\(name)") }
      }
      for lock in CommitLock.all {
        do throws(Fault) {
          try removeLeft(lock, in: stages)
        } catch { note(error, "\(stages.path)/\(lock.name)") }
      }
      for name in try stages.list()
      where !isKnown("\(stages.path)/\(name)") && !ProgramRecord.isName(name) {
        kept.append(
          Kept(path: "\(stages.path)/\(name)", reason: "is nothing that omtask makes there"))
      }
      try folder.holder.removeIfEmpty(folder.name)
    } catch { note(error, folder.path) }
  }

  /// Notes that something was removed.
  mutating func removed(_ path: String, bytes: Int) {
    removed.append(Removed(path: path, bytes: bytes))
  }

  private func isKnown(_ path: String) -> Bool {
    kept.contains { path.hasPrefix($0.path) } || faults.contains { path.hasPrefix($0.subject) }
  }

  /// Somebody else at work and links are reasons to leave something alone, no faults.
  mutating func note(_ fault: Fault, _ path: String) {
    switch fault.kind {
    case .missing: break
    case .locked, .path: kept.append(Kept(path: path, reason: fault.message))
    default: faults.append(fault)
    }
  }

  /// Removes the stage of a run at which nobody works.
  private mutating func remove(
    _ id: String, in stages: OutputFolder, of folder: StageFolder
  ) throws(Fault) {
    if try stages.kind(of: id) == .link {
      throw Fault(.path, "\(stages.path)/\(id)", "is a link, and nothing is removed through links")
    }
    let stage = try StageSummary.read(stages, id)
    let aside = try labelsAside(stages, id, folder)
    try StageRemoval.remove(id, of: folder.name, in: folder.holder)
    removed.append(Removed(path: stage.path, bytes: stage.byteCount))
    restored += aside
  }

  /// The places of results that a run had put aside for its own and that are free again.
  private func labelsAside(
    _ stages: OutputFolder, _ id: String, _ folder: StageFolder
  ) throws(Fault) -> [String] {
    let isImage = folder.name == ImageCommitter.folder
    var places: [String] = []
    for shelf in Shelf.allCases {
      let place = "\(id)/\(ImageCommitter.old(shelf))"
      guard try stages.kind(of: place) == .folder else { continue }
      let home = isImage ? shelf.name : ""
      for name in try stages.folder(place).list()
      where try folder.holder.kind(of: joinedKey(home, name)) == nil {
        places.append("\(folder.holder.path)/\(joinedKey(home, name))")
      }
    }
    return places
  }

  /// Removes a lock that was left, and what its holder was making.
  private mutating func removeLeft(
    _ lock: CommitLock, in stages: OutputFolder
  ) throws(Fault) {
    let left = try lock.left(in: stages)
    if left.isEmpty { return }
    var bytes = 0
    for entry in left { bytes += try stages.stamp(entry)?.size ?? 0 }
    try lock.clear(in: stages)
    removed.append(Removed(path: "\(stages.path)/\(lock.name)", bytes: bytes))
  }
}

import OMImage
import OMJSON
import OMStore
import OMZarr

/// Brings staged levels of images to their places and takes the old ones away, each step once however
/// often it is begun.
///
/// Only the holder of the lock of levels does this.
struct LevelsChange {
  let record: LevelsRecord
  /// The image that holds the stage.
  let home: OutputFolder
  /// The folder of the stage.
  let root: OutputFolder
  /// The folder of all stages, in which documents are made.
  let workshop: OutputFolder
  let isDurable: Bool

  /// The folder of a stage for old levels that are on their way out.
  static let gone = "gone"

  /// What the metadata of an image list.
  enum State {
    /// The old levels, the finest of which is the one that was read.
    case old
    /// The new ones.
    case new
    /// Others: another program or run has changed them, or replaced the image.
    case other
  }

  typealias Change = LevelsRecord.Change

  /// What the metadata of an image list now.
  func state(_ change: Change) throws(Fault) -> State {
    let paths = try listed(change.node)
    if paths.first == change.paths { return .new }
    guard paths.first == change.node.edit.old else { return .other }
    return try isAsRead(change.node) ? .old : .other
  }

  /// Whether the finest level is the one that the new levels were made of.
  private func isAsRead(_ node: LevelsNode) throws(Fault) -> Bool {
    guard let finest = node.edit.old.first else { return false }
    let document = node.version.zarrFormat == 3 ? "zarr.json" : ".zarray"
    return try folder(node).stamp("\(finest)/\(document)") == node.finest
  }

  func listed(
    _ node: LevelsNode
  ) throws(Fault) -> (first: [String], all: Set<String>) {
    let subject = "\(node.location.displayName)/\(node.version.documentName)"
    let folder = try folder(node)
    return try DocumentUpdate.settled { () throws(Fault) in
      let bytes = try folder.read(node.version.documentName, limit: JSON.maximumBytes)
      guard let bytes else { throw Fault(.missing, subject, "the metadata of the image are gone") }
      return try LevelsEdit.paths(in: bytes, subject: subject)
    }
  }

  func folder(_ node: LevelsNode) throws(Fault) -> OutputFolder {
    node.folder.isEmpty ? home : try home.folder(node.folder)
  }

  /// The states of all images.
  func states() throws(Fault) -> [State] {
    var states: [State] = []
    for change in record.changes { states.append(try state(change)) }
    return states
  }

  /// Whether a new level has its place already.
  func hasBegun() throws(Fault) -> Bool {
    for change in record.changes {
      let folder = try folder(change.node)
      for name in change.names where try isOurs(name, change.node, folder) { return true }
    }
    return false
  }

  /// Whether a folder of this name holds a level that this run made.
  private func isOurs(
    _ name: String, _ node: LevelsNode, _ folder: OutputFolder
  ) throws(Fault) -> Bool {
    guard try folder.kind(of: name) == .folder else { return false }
    let path = joinedKey(node.location.path, name)
    guard let metadata = try? ArrayMetadata.read(node.location.store, path: path) else {
      return false
    }
    return Provenance.isOf(record.runID, metadata.attributes["omtask"])
  }
}

// MARK: - Steps

extension LevelsChange {
  /// Moves the staged levels in, under names that nobody uses.
  ///
  /// - Throws: Kind `locked` when levels are neither staged nor in their place, a name was taken, or the
  ///   image is another one by now.
  func moveIn() throws(Fault) {
    for (index, change) in record.changes.enumerated() {
      switch try state(change) {
      case .old: break
      case .new: continue
      case .other:
        let node = change.node
        throw Fault(
          .locked, "\(node.location.displayName)/\(node.version.documentName)",
          "another program has changed the levels of the image meanwhile, or replaced the image",
          hint: "run the command again")
      }
      let folder = try folder(change.node)
      for (place, name) in change.names.enumerated() {
        let staged = Self.staged(index, place)
        guard try root.kind(of: staged) == .folder else {
          if try isOurs(name, change.node, folder) { continue }
          throw Fault(
            .locked, "\(root.path)/\(staged)",
            "a level is neither here nor in its place: the disk has lost what was written",
            hint: "run the command again")
        }
        // What an invocation left here that was killed is what this one has made again.
        if try isOurs(name, change.node, folder) { try folder.removeTree(name) }
        try root.renameNoReplace(staged, to: folder, name)
      }
      if isDurable { try folder.sync() }
      // Some readers take the levels from the copy and their list from the document beside it: the
      // copy knows old and new ones while the document changes.
      try changeCopy(change) { () throws(Fault) in
        try AncestorMetadata.written(
          change.names, of: change.node.location.path, in: change.node.location.store,
          zarrFormat: 2)
      }
    }
  }

  /// Takes levels that no metadata list out of the images again.
  func moveOut() throws(Fault) {
    for (index, change) in record.changes.enumerated() where try state(change) != .new {
      let folder = try folder(change.node)
      let all = try listed(change.node).all
      try changeCopy(change) {
        change.names.filter { !all.contains($0) }.map {
          ConsolidatedMetadata.Change(
            written: [], replaced: joinedKey(change.node.location.path, $0))
        }
      }
      for (place, name) in change.names.enumerated()
      where !all.contains(name) {
        guard try isOurs(name, change.node, folder) else { continue }
        let staged = Self.staged(index, place)
        if try root.kind(of: staged) == nil, try root.kind(of: Self.staged(index)) == .folder {
          try folder.renameNoReplace(name, to: root, staged)
        } else {
          try folder.removeTree(name)
        }
      }
    }
  }

  /// Lets the metadata of every image list its new levels: one replace each.
  ///
  /// - Throws: What reading and writing throws; then all list the old levels again, unless that cannot
  ///   be written either.
  func list() throws(Fault) {
    let update = DocumentUpdate(
      workshop: workshop, spareName: InPlaceCommitter.lock.spare, isDurable: isDurable)
    var done: [Replaced] = []
    do throws(Fault) {
      for change in record.changes where try state(change) != .new {
        try replace(change, update, &done)
        if isDurable { try folder(change.node).sync() }
      }
    } catch {
      for replaced in done.reversed() {
        let node = replaced.change.node
        if let folder = try? folder(node) {
          _ = try? update.change(node.version.documentName, in: folder) {
            $0 == replaced.after ? replaced.before : nil
          }
        }
      }
      throw error
    }
  }

  /// A document that was replaced.
  private struct Replaced {
    let change: Change
    let before: [UInt8]
    let after: [UInt8]
  }

  private func replace(
    _ change: Change, _ update: DocumentUpdate, _ done: inout [Replaced]
  ) throws(Fault) {
    let node = change.node
    let (store, name) = (node.location.store, node.version.documentName)
    let theirs = NgioLock.acquire(root: store.description, group: node.location.path)
    defer { withExtendedLifetime(theirs) {} }
    let subject = "\(node.location.displayName)/\(name)"
    var latest: Replaced?
    // Also when this fails in the end the new document may be there.
    defer { if let latest { done.append(latest) } }
    try update.change(name, in: try folder(node)) { (bytes) throws(Fault) in
      guard let bytes else { throw Fault(.missing, subject, "the metadata of the image are gone") }
      var next = try node.edit.document(of: bytes, paths: change.names, subject: subject)
      if node.version.zarrFormat == 3 {
        // The copy of all metadata that the document may hold changes with it.
        let listed = try LevelsEdit.paths(in: next, subject: subject).all
        next = try node.location.naming { () throws(Fault) in
          try ConsolidatedMetadata.updated(
            next, of: node.location.path, zarrFormat: 3, by: try changes(change, listed)
          )?.bytes ?? next
        }
      }
      latest = Replaced(change: change, before: bytes, after: next)
      return next
    }
  }

  /// Takes away the old levels that no metadata list any more.
  func retire() throws(Fault) {
    for (index, change) in record.changes.enumerated() where try wasListed(index, change) {
      let folder = try folder(change.node)
      let old = retired(change, try listed(change.node).all)
      if old.isEmpty { continue }
      let bin = try root.makeFolder(Self.gone)
      for (place, path) in old.enumerated() where try folder.kind(of: path) != nil {
        let name = "\(index).\(place)"
        try bin.removeTree(name)
        // In one step, so that a level is there as a whole or not at all.
        try folder.renameNoReplace(path, to: bin, name)
      }
      if isDurable { try folder.sync() }
    }
  }

  /// Whether the metadata of an image list the new levels, or did: another run took them away since.
  private func wasListed(_ index: Int, _ change: Change) throws(Fault) -> Bool {
    switch try state(change) {
    case .new: return true
    case .old: return false
    case .other:
      // Levels go to their places before they are listed, and back to the stage if they are not.
      let folder = try folder(change.node)
      for (place, name) in change.names.enumerated() {
        if try root.kind(of: Self.staged(index, place)) != nil { return false }
        if try isOurs(name, change.node, folder) { return false }
      }
      return true
    }
  }

  /// The paths of old levels that may go when these are listed.
  func retired(_ change: Change, _ listed: Set<String>) -> [String] {
    change.node.edit.old.dropFirst().filter { path in
      // Nothing that holds, or lies in, what is still listed; and never labels or what is hidden.
      !path.hasPrefix("labels/") && path != "labels" && !path.hasPrefix(".")
        && listed.allSatisfy { other in
          other != path && !other.hasPrefix(path + "/") && !path.hasPrefix(other + "/")
        }
    }
  }

  /// The place of the levels of an image in the stage, or of one of them.
  private static func staged(_ image: Int, _ place: Int? = nil) -> String {
    let folder = "out/\(image)"
    return place.map { "\(folder)/\(LabelDocuments.levelPath($0 + 1))" } ?? folder
  }
}

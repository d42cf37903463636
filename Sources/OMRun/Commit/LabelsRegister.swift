import OMImage
import OMJSON
import OMStore
import OMZarr

/// How a process takes locks.
struct LockRules: Sendable {
  /// Who this process is.
  var holder: LockHolder
  /// Seconds to wait for a lock that another process holds.
  var patience: Double
  /// Ends the waiting by throwing.
  var check: @Sendable () throws(Fault) -> Void
  /// Hears that a lock was taken from a process that is gone.
  var warn: @Sendable (String) -> Void
  /// Whether nobody else writes into buckets that know no conditions.
  var assumesSingleWriter = false

  /// Takes a lock in a folder that is made for it.
  func acquire(
    _ lock: CommitLock, in folder: String, of holder: OutputFolder
  ) throws(Fault) -> (lock: FileLock, folder: OutputFolder) {
    for _ in 0..<50 {
      let place = try holder.makeFolder(folder)
      do throws(Fault) {
        let lock = try FileLock.acquire(
          lock.name, in: place, holder: self.holder, patience: patience, onBreak: warn,
          whileWaiting: check)
        return (lock, place)
      } catch {
        // Who held the lock before has removed the folder, which was empty but for us.
        if error.kind != .missing { throw error }
      }
    }
    throw Fault(
      .locked, "\(holder.path)/\(folder)", "other processes keep removing it",
      hint: "run the command again")
  }
}

extension RunRequest {
  /// How this run takes locks.
  func lockRules(
    _ holder: LockHolder, _ warn: @escaping @Sendable (String) -> Void
  ) -> LockRules {
    let stop = options.stop
    return LockRules(
      holder: holder, patience: options.lockWait,
      check: { () throws(Fault) in try stop.check() }, warn: warn,
      assumesSingleWriter: options.assumesSingleWriter)
  }
}

/// The list of label images or of tables of an image, changed by one process of ours at a time, and
/// the image's own copy of all metadata.
struct LabelsRegister: Sendable {
  /// The group that lists them.
  var shelf = Shelf.labels
  let location: ImageLocation
  let version: OMEVersion
  let names: [String]
  /// Whether to wait for the disk.
  let isDurable: Bool
  let rules: LockRules

  /// Makes results visible and lists them, while no other process of ours does that here.
  ///
  /// *Local*, rank 0.
  ///
  /// - Parameters:
  ///   - folder: The folder of the image.
  ///   - move: Moves the results into the folder it is given; fails when a name is taken.
  ///   - undo: Takes them out again; called when this fails, unless the list names them by then.
  /// - Returns: The state in which the list was left.
  /// - Throws: Kind `locked` when another process keeps the lock, `usage` when another name cannot be
  ///   told from one of ours any more, and what `move`, reading and writing throws.
  func commit(
    in folder: OutputFolder, _ move: (OutputFolder) throws(Fault) -> Void,
    undo: (OutputFolder) -> Void = { _ in }
  ) throws(Fault) -> LabelsState {
    let (lock, stages) = try rules.acquire(
      shelf.lock, in: ImageCommitter.folder, of: folder)
    defer { lock.release() }
    let before = try folder.stamp(shelf.name)
    // Mostly these are the first results of their kind in the image.
    if before != nil {
      let listed = try location.labelsList(version, shelf).names
      for name in names { try LabelName.check(name, besides: listed, kind: shelf.noun) }
    }
    var state = LabelsState(before: before, lock.time)
    let place = try folder.makeFolder(shelf.name)
    let update = DocumentUpdate(
      workshop: stages, spareName: shelf.lock.spare, isDurable: isDurable)
    var change: ListChange?
    do throws(Fault) {
      try move(place)
      state.list = try updateList(in: place, update, &change)
      if isDurable { try place.sync() }
      try updateCopy(in: folder, update)
    } catch {
      if takeBack(change, in: place, update) { undo(place) }
      try? folder.removeIfEmpty(shelf.name)
      throw error
    }
    state.folder = try? folder.stamp(shelf.name)
    return state
  }

  /// What a change of the list replaced by what.
  private struct ListChange {
    let before: [UInt8]?
    let after: [UInt8]
  }

  /// Brings the list back to what it was: a run that failed lists nothing.
  ///
  /// - Returns: Whether the list is as it was.
  private func takeBack(
    _ change: ListChange?, in place: OutputFolder, _ update: DocumentUpdate
  ) -> Bool {
    guard let change else { return true }
    let document = version.documentName
    do throws(Fault) {
      // Another program may have changed the list since; then our names stay in it.
      let present = try place.read(document, limit: JSON.maximumBytes)
      if present == change.before { return true }
      guard present == change.after else { return false }
      guard let before = change.before else {
        try place.removeTree(document)
        return true
      }
      try update.change(document, in: place) { $0 == change.after ? before : nil }
      return try place.read(document, limit: JSON.maximumBytes) == before
    } catch { return false }
  }

  /// Lists results that are in their place and that the list lacks.
  ///
  /// *Local*.
  func relist() throws(Fault) {
    let folder = try OutputFolder(path: location.displayName)
    // What a killed process left in the midst of a change goes too.
    defer {
      try? folder.removeIfEmpty(ImageCommitter.folder)
    }
    _ = try commit(in: folder) { _ in }
  }

  /// Adds the names to the list.
  private func updateList(
    in place: OutputFolder, _ update: DocumentUpdate, _ change: inout ListChange?
  ) throws(Fault) -> ValueStamp? {
    if version.zarrFormat == 2 {
      let group = try LabelsList.parse(
        nil, subject: place.path, version: version, shelf: shelf
      ).adding([])
      try update.change(".zgroup", in: place) { $0 == nil ? group.first?.bytes : nil }
    }
    let document = version.documentName
    var seen: [String] = []
    var latest: ListChange?
    do throws(Fault) {
      let stamp = try update.change(document, in: place) { (bytes) throws(Fault) in
        let list = try LabelsList.parse(
          bytes, subject: "\(place.path)/\(document)", version: version, shelf: shelf)
        // A program that writes back what it read long ago takes the entries of others away.
        let lost = seen.filter {
          !list.names.contains($0) && (try? place.kind(of: $0)) == .folder
        }
        seen += list.names.filter { !seen.contains($0) }
        let next = list.adding(lost + names).last?.bytes
        if let next { latest = ListChange(before: bytes, after: next) }
        return next
      }
      change = latest
      return stamp
    } catch {
      // Where others keep changing the list, our names may be in it.
      if error.kind == .locked { change = latest }
      throw error
    }
  }

  /// Brings the image's own copy of metadata up to date, where it keeps one.
  private func updateCopy(in folder: OutputFolder, _ update: DocumentUpdate) throws(Fault) {
    let store = location.store
    let format = try location.naming { () throws(Fault) in
      try ConsolidatedMetadata.formatOfCopy(location.path, in: store)
    }
    guard let format else { return }
    var changes = try location.naming { () throws(Fault) in
      try AncestorMetadata.changes(
        of: location.path, names, on: shelf, in: store, zarrFormat: format)
    }
    // The image's own copy does not name the image.
    for index in changes.indices { changes[index].within = nil }
    let document = ConsolidatedMetadata.key("", zarrFormat: format)
    try update.change(document, in: folder) { (bytes) throws(Fault) in
      guard let bytes else { return nil }
      return try location.naming { () throws(Fault) in
        try ConsolidatedMetadata.updated(
          bytes, of: location.path, zarrFormat: format, by: changes)?.bytes
      }
    }
  }
}

extension ImageLocation {
  /// The label images or tables that the image here lists; faults name whole paths.
  ///
  /// A list that another program is just writing is read again.
  func labelsList(
    _ version: OMEVersion, _ shelf: Shelf = .labels
  ) throws(Fault) -> LabelsList {
    try naming { () throws(Fault) in
      try DocumentUpdate.settled { () throws(Fault) in
        try LabelsList.read(store, image: path, version: version, shelf: shelf)
      }
    }
  }
}

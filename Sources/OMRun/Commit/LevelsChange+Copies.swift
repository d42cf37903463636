import OMImage
import OMJSON
import OMStore

// The copies of metadata that images and the groups above them keep, while levels change.

extension LevelsChange {
  /// Brings the copies of metadata up to date that the images and groups above them keep.
  ///
  /// - Returns: Why some could not be; then old levels must stay, since those copies list them.
  func updateCopies(_ rules: LockRules) -> [String] {
    var warnings: [String] = []
    do throws(Fault) { try updateCopies(rules, &warnings) } catch {
      warnings.append("a copy of metadata is not up to date: \(error.description)")
    }
    return warnings
  }

  private func updateCopies(_ rules: LockRules, _ warnings: inout [String]) throws(Fault) {
    for change in record.changes where try state(change) == .new {
      let location = change.node.location
      let listed = try listed(change.node).all
      try changeCopy(change) { () throws(Fault) in try changes(change, listed) }
      var above = AncestorMetadata(store: location.store)
      above.add(levels: change.names, instead: retired(change, listed), of: location.path)
      warnings += above.update(rules, isDurable: isDurable)
    }
  }

  /// Changes the copy of metadata that an image of Zarr v2 may keep in a document of its own.
  func changeCopy(
    _ change: Change, by changes: () throws(Fault) -> [ConsolidatedMetadata.Change]
  ) throws(Fault) {
    let location = change.node.location
    guard change.node.version.zarrFormat == 2 else { return }
    let folder = try folder(change.node)
    let name = ConsolidatedMetadata.key("", zarrFormat: 2)
    if try folder.kind(of: name) == nil { return }
    var made = try location.naming(changes)
    // The image's own copy does not name the image.
    for index in made.indices { made[index].within = nil }
    let update = DocumentUpdate(
      workshop: workshop, spareName: InPlaceCommitter.lock.spare, isDurable: isDurable)
    try update.change(name, in: folder) { (bytes) throws(Fault) in
      guard let bytes else { return nil }
      return try location.naming { () throws(Fault) in
        try ConsolidatedMetadata.updated(
          bytes, of: location.path, zarrFormat: 2, by: made)?.bytes
      }
    }
  }

  /// What changed below an image, for the copy of metadata that the image keeps itself.
  func changes(
    _ change: Change, _ listed: Set<String>
  ) throws(Fault) -> [ConsolidatedMetadata.Change] {
    let location = change.node.location
    var changes = try AncestorMetadata.changes(
      of: location.path, levels: change.names, instead: retired(change, listed),
      in: location.store, zarrFormat: change.node.version.zarrFormat)
    // The image's own copy does not name the image.
    for index in changes.indices { changes[index].within = nil }
    return changes
  }
}

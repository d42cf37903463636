import OMImage
import OMJSON
import OMStore
import OMZarr

/// Commits label images into the image they belong to: staged in `<image>/.omtask`, moved to
/// `labels/<name>` by a rename, then listed (specification: reliability, section 5).
final class ImageCommitter: Committer {
  private let image: OMEImage
  private let names: [String]
  private let overwrites: Bool
  private let stage: Stage

  /// Makes a committer.
  ///
  /// - Throws: A fault of kind `permission` when the image cannot be opened for writing.
  init(
    _ image: OMEImage, names: [String], overwrites: Bool, runID: String, rank: Int
  ) throws(Fault) {
    self.image = image
    self.names = names
    self.overwrites = overwrites
    let folder = try OutputFolder(path: image.location.displayName)
    stage = Stage(holder: folder, folder: ".omtask", runID: runID, rank: rank)
  }

  var bytesWritten: Int { stage.bytesWritten }

  func prepare(_ record: JSON) throws(Fault) {
    do throws(Fault) {
      try stage.make(record)
    } catch {
      if error.kind != .permission { throw error }
      var fault = error
      fault.hint = "the image cannot be written to; `--output URI` puts the result elsewhere"
      throw fault
    }
  }

  func publish(
    label: Int, level: Int, key: String, bytes: UnsafeRawBufferPointer
  ) throws(Fault) {
    try stage.write(key, label: names[label], level: LabelDocuments.levelPath(level), bytes)
  }

  func staged(label: Int, level: Int, layout: ArrayLayout) throws(Fault) -> ZarrArray {
    try stage.array(
      label: names[label], level: LabelDocuments.levelPath(level), layout: layout)
  }

  func commit(_ labels: [CommittedLabel]) throws(Fault) {
    for label in labels {
      for document in label.arrays + label.metadata.group() {
        try stage.write(document, label: label.metadata.name)
      }
    }
    let place = try stage.holder.makeFolder("labels")
    var replaced: Set<String> = []
    for name in names where try move(name, to: place) { replaced.insert(name) }
    try register(labels, replaced)
    try stage.remove()
  }

  func discard() { try? stage.remove() }

  /// Moves a staged label image to its place; true when it took the place of another.
  private func move(_ name: String, to place: OutputFolder) throws(Fault) -> Bool {
    let out = try stage.out()
    // Without `overwrites` the rename itself finds out whether the name is taken.
    let isTaken = overwrites ? try place.kind(of: name) != nil : false
    if !isTaken {
      try out.renameNoReplace(name, to: place, name)
      return false
    }
    do throws(Fault) {
      // The old label image is now in the stage and goes with it.
      try out.renameExchange(name, with: place, name)
    } catch {
      if error.kind != .unsupported { throw error }
      try place.renameNoReplace(name, to: out, name + ".old")
      try out.renameNoReplace(name, to: place, name)
    }
    return true
  }

  /// Lists label images that an earlier run moved to their place but could not list any more.
  func relist() throws(Fault) {
    try register([], [])
    try stage.remove()
  }

  /// Adds the names to the list of labels, and the nodes to the image's consolidated metadata.
  private func register(_ labels: [CommittedLabel], _ replaced: Set<String>) throws(Fault) {
    let location = image.location
    var changes: [ConsolidatedMetadata.Change] = []
    // Some readers of the consolidated copy want groups before what is in them.
    for name in names {
      let list = try image.labelsList()
      let documents = list.adding(name)
      for document in documents { try stage.holder.write(document.key, document.bytes) }
      let label = labels.first { $0.metadata.name == name }
      let nodes = (label.map { $0.metadata.group() + $0.arrays } ?? []).map {
        $0.below("labels/\(name)")
      }
      changes.append(
        ConsolidatedMetadata.Change(
          written: (documents + nodes).map { $0.below(location.path) },
          replaced: replaced.contains(name)
            ? joinedKey(location.path, "labels/\(name)") : nil))
    }
    let copy = try location.naming { () throws(Fault) in
      try ConsolidatedMetadata.updated(
        location.path, in: location.store, zarrFormat: image.version.zarrFormat, by: changes)
    }
    if let copy {
      let parent = location.path.isEmpty ? 0 : location.path.count + 1
      let key = String(copy.key.dropFirst(parent))
      try stage.holder.write(key, copy.bytes)
    }
  }
}

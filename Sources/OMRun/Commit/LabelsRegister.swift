import OMImage
import OMJSON
import OMStore

/// The list of an image's label images, and the image's own copy of their metadata.
struct LabelsRegister {
  let image: OMEImage
  /// The folder of the image.
  let folder: OutputFolder
  /// Whether to wait until the documents are on the disk.
  let isDurable: Bool

  /// Adds label images that are complete and in their place; those that are listed stay where they are.
  ///
  /// *Local*, rank 0.
  func add(_ names: [String]) throws(Fault) {
    let location = image.location
    for name in names {
      for document in try image.labelsList().adding(name) {
        try folder.write(document.key, document.bytes, durable: isDurable)
      }
    }
    let copy = try location.naming { () throws(Fault) in
      let store = location.store
      guard let format = try ConsolidatedMetadata.formatOfCopy(location.path, in: store) else {
        return nil as MetadataDocument?
      }
      var changes = try AncestorMetadata.changes(
        of: location.path, labels: names, in: store, zarrFormat: format)
      // The image's own copy does not name the image.
      for index in changes.indices { changes[index].within = nil }
      return try ConsolidatedMetadata.updated(
        location.path, in: store, zarrFormat: format, by: changes)
    }
    guard let copy else { return }
    let parent = location.path.isEmpty ? 0 : location.path.count + 1
    try folder.write(
      String(copy.key.dropFirst(parent)), copy.bytes, durable: isDurable)
  }
}

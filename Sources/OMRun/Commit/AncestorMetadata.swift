import OMImage
import OMJSON
import OMStore
import OMZarr

/// The copies of metadata that the groups above images keep: well, row and plate.
///
/// They are brought up to date once, after all images, since every image of a plate changes the
/// same few documents. What another program changes meanwhile is kept; what cannot be updated is a
/// warning, and the next run tries again.
struct AncestorMetadata {
  /// One hierarchy: a plate, or whatever the images are in.
  let store: any Store
  /// The label images that a run made or found, by the path of their image, in order.
  private var images: [(path: String, labels: [String])] = []

  /// How often a document is read again that changed while it was updated.
  private static let tries = 3

  /// Starts with no images.
  init(store: any Store) { self.store = store }

  /// Adds an image whose label images are complete.
  mutating func add(_ path: String, labels: [String]) { images.append((path, labels)) }

  /// Updates every group above the images that keeps a copy.
  ///
  /// *Local*, rank 0.
  ///
  /// - Returns: Warnings about groups that could not be updated.
  func update() -> [String] {
    var order: [String] = []
    var below: [String: [Int]] = [:]
    for (index, image) in images.enumerated() {
      for holder in ConsolidatedMetadata.holders(of: image.path).dropFirst() {
        if below[holder] == nil { order.append(holder) }
        below[holder, default: []].append(index)
      }
    }
    var changes: [Int: [ConsolidatedMetadata.Change]] = [:]
    var warnings: [String] = []
    for holder in order {
      do throws(Fault) {
        guard let format = try ConsolidatedMetadata.formatOfCopy(holder, in: store) else {
          continue
        }
        for index in below[holder] ?? [] where changes[index] == nil {
          changes[index] = try AncestorMetadata.changes(
            of: images[index].path, labels: images[index].labels, in: store, zarrFormat: format)
        }
        try update(holder, format, (below[holder] ?? []).flatMap { changes[$0] ?? [] })
      } catch {
        warnings.append(
          "the consolidated metadata of \(joinedKey(store.description, holder)) are not up to "
            + "date: \(naming(error).description)")
      }
    }
    return warnings
  }

  /// Updates one group.
  private func update(
    _ holder: String, _ format: Int, _ changes: [ConsolidatedMetadata.Change]
  ) throws(Fault) {
    for _ in 0..<AncestorMetadata.tries {
      let stamp = try store.stamp(ConsolidatedMetadata.key(holder, zarrFormat: format))
      let document = try ConsolidatedMetadata.updated(
        holder, in: store, zarrFormat: format, by: changes)
      guard let document else { return }
      let bytes = document.bytes
      if bytes.count > JSON.maximumBytes {
        throw Fault(
          .limit, document.key,
          "it would have \(bytes.count) bytes, expected at most \(JSON.maximumBytes)")
      }
      if try store.stamp(document.key) != stamp { continue }
      return try OutputFolder(path: store.description).write(document.key, bytes)
    }
    throw Fault(.locked, holder, "another program keeps changing it")
  }

  /// What was written below an image, read from the store as it is now.
  static func changes(
    of image: String, labels names: [String], in store: any Store, zarrFormat: Int
  ) throws(Fault) -> [ConsolidatedMetadata.Change] {
    let labels = joinedKey(image, "labels")
    var changes = [
      ConsolidatedMetadata.Change(
        written: try documents(labels, store, zarrFormat), within: image)
    ]
    for name in names {
      let label = joinedKey(labels, name)
      var written = try documents(label, store, zarrFormat)
      let levels = try store.list(label).filter { LabelDocuments.isLevelPath($0) }
      for level in levels { written += try documents(joinedKey(label, level), store, zarrFormat) }
      changes.append(
        ConsolidatedMetadata.Change(written: written, replaced: label, within: image))
    }
    return changes
  }

  /// The metadata documents of a node.
  private static func documents(
    _ path: String, _ store: any Store, _ zarrFormat: Int
  ) throws(Fault) -> [MetadataDocument] {
    let names = zarrFormat == 2 ? [".zgroup", ".zarray", ".zattrs"] : ["zarr.json"]
    var found: [MetadataDocument] = []
    for name in names {
      let key = joinedKey(path, name)
      guard let bytes = try store.get(key, limit: JSON.maximumBytes) else { continue }
      let json = try JSON(parsing: bytes, subject: key, lenient: true)
      found.append(MetadataDocument(key: key, json: json))
    }
    return found
  }

  /// The fault with a whole path; those of writing have one.
  private func naming(_ fault: Fault) -> Fault {
    let isNamed = fault.subject.hasPrefix(store.description)
    return isNamed ? fault : fault.below(store.description)
  }
}

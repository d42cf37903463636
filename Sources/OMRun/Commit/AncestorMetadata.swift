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

  /// Starts with no images.
  init(store: any Store) { self.store = store }

  /// Adds an image whose label images are complete.
  mutating func add(_ path: String, labels: [String]) { images.append((path, labels)) }

  /// Updates every group above the images that keeps a copy.
  ///
  /// *Local*, rank 0.
  ///
  /// - Parameters:
  ///   - rules: How the lock of these documents is taken.
  ///   - isDurable: Whether to wait for the disk.
  /// - Returns: Warnings about groups that could not be updated.
  func update(_ rules: LockRules, isDurable: Bool) -> [String] {
    var warnings: [String] = []
    let holders = copies(&warnings)
    if holders.isEmpty { return warnings }
    do throws(Fault) {
      let root = try OutputFolder(path: store.description)
      defer { try? root.removeIfEmpty(ImageCommitter.folder) }
      let (lock, workshop) = try rules.acquire(
        AncestorMetadata.lockName, in: ImageCommitter.folder, of: root)
      defer { lock.release() }
      let update = DocumentUpdate(
        workshop: workshop, spareName: AncestorMetadata.spareName, isDurable: isDurable)
      var changes: [Int: [ConsolidatedMetadata.Change]] = [:]
      for holder in holders {
        do throws(Fault) {
          // Read under the lock, so that what another run has just listed is not taken back.
          for index in holder.images where changes[index] == nil {
            changes[index] = try AncestorMetadata.changes(
              of: images[index].path, labels: images[index].labels, in: store,
              zarrFormat: holder.format)
          }
          try self.update(holder, in: root, update, holder.images.flatMap { changes[$0] ?? [] })
        } catch { warnings.append(warning(holder.path, error)) }
      }
    } catch { warnings.append(warning("", error)) }
    return warnings
  }

  /// The name of the lock in the folder of stages of the whole hierarchy.
  static let lockName = "metadata.lock"
  /// The name of a new document while it is made.
  static let spareName = "metadata.new"

  /// A group that keeps a copy.
  private struct Holder {
    let path: String
    let format: Int
    /// The images below it.
    let images: [Int]
  }

  /// The groups above the images that keep a copy, those nearest to the images first.
  private func copies(_ warnings: inout [String]) -> [Holder] {
    var order: [String] = []
    var below: [String: [Int]] = [:]
    for (index, image) in images.enumerated() {
      for holder in ConsolidatedMetadata.holders(of: image.path).dropFirst() {
        if below[holder] == nil { order.append(holder) }
        below[holder, default: []].append(index)
      }
    }
    var holders: [Holder] = []
    for path in order {
      do throws(Fault) {
        if let format = try ConsolidatedMetadata.formatOfCopy(path, in: store) {
          holders.append(Holder(path: path, format: format, images: below[path] ?? []))
        }
      } catch { warnings.append(warning(path, error)) }
    }
    return holders
  }

  /// Updates one group, also while ngio adds images to it.
  private func update(
    _ holder: Holder, in root: OutputFolder, _ update: DocumentUpdate,
    _ changes: [ConsolidatedMetadata.Change]
  ) throws(Fault) {
    let theirs = NgioLock.acquire(root: root.path, group: holder.path)
    defer { withExtendedLifetime(theirs) {} }
    let folder = holder.path.isEmpty ? root : try root.folder(holder.path)
    let name = ConsolidatedMetadata.key("", zarrFormat: holder.format)
    try update.change(name, in: folder) { (bytes) throws(Fault) in
      guard let bytes else { return nil }
      return try ConsolidatedMetadata.updated(
        bytes, of: holder.path, zarrFormat: holder.format, by: changes)?.bytes
    }
  }

  private func warning(_ holder: String, _ fault: Fault) -> String {
    "the consolidated metadata of \(joinedKey(store.description, holder)) are not up to date: "
      + naming(fault).description
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

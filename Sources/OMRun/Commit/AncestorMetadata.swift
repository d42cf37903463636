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
  /// What a run made or found, in order.
  private var images: [Made] = []

  /// What was made of one image.
  private enum Made {
    /// Label images or tables in the image at a path.
    case results([String], Shelf, image: String)
    /// A derived image at a path.
    case image(String)
    /// An image at a path in a plate that is made image by image.
    case imageOfNewPlate(String)
    /// Levels instead of other ones in the image at a path.
    case levels([String], instead: [String], image: String)

    /// The path of the image that changed.
    var path: String {
      switch self {
      case .results(_, _, let image): image
      case .image(let path), .imageOfNewPlate(let path): path
      case .levels(_, _, let image): image
      }
    }
  }

  /// Starts with no images.
  init(store: any Store) { self.store = store }

  /// Adds an image whose label images or tables are complete.
  mutating func add(_ path: String, _ names: [String], on shelf: Shelf) {
    images.append(.results(names, shelf, image: path))
  }

  /// Adds a derived image that is complete and listed.
  mutating func add(derived path: String) { images.append(.image(path)) }

  /// Adds an image of a new plate that is complete and listed.
  mutating func add(ofNewPlate path: String) { images.append(.imageOfNewPlate(path)) }

  /// Adds an image whose metadata list other levels now.
  mutating func add(levels: [String], instead old: [String], of path: String) {
    images.append(.levels(levels, instead: old, image: path))
  }

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
    if let bucket = Bucket(store) {
      for holder in holders {
        do throws(Fault) { try update(holder, in: bucket, rules) } catch {
          warnings.append(warning(holder.path, error))
        }
      }
      return warnings
    }
    // Also what an earlier run could not remove.
    defer {
      if let root = try? OutputFolder(path: store.description) {
        AncestorMetadata.lock.tidy(ImageCommitter.folder, of: root)
      }
    }
    if holders.isEmpty { return warnings }
    do throws(Fault) {
      let root = try OutputFolder(path: store.description)
      let (lock, workshop) = try rules.acquire(
        AncestorMetadata.lock, in: ImageCommitter.folder, of: root)
      defer { lock.release() }
      let update = DocumentUpdate(
        workshop: workshop, spareName: AncestorMetadata.lock.spare, isDurable: isDurable)
      var changes: [Int: [ConsolidatedMetadata.Change]] = [:]
      for holder in holders {
        do throws(Fault) {
          // Read under the lock, so that what another run has just listed is not taken back.
          for index in holder.images where changes[index] == nil {
            changes[index] = try self.changes(images[index], holder.format)
          }
          try self.update(holder, in: root, update, holder.images.flatMap { changes[$0] ?? [] })
        } catch { warnings.append(warning(holder.path, error)) }
      }
    } catch { warnings.append(warning("", error)) }
    return warnings
  }

  /// What one image changes, read from the store as it is now.
  private func changes(
    _ made: Made, _ format: Int
  ) throws(Fault) -> [ConsolidatedMetadata.Change] {
    switch made {
    case .results(let names, let shelf, let image):
      try AncestorMetadata.changes(of: image, names, on: shelf, in: store, zarrFormat: format)
    case .image(let path):
      try AncestorMetadata.changes(derived: path, in: store, zarrFormat: format)
    case .imageOfNewPlate(let path):
      try AncestorMetadata.changes(ofNewPlate: path, in: store, zarrFormat: format)
    case .levels(let levels, let old, let image):
      try AncestorMetadata.changes(
        of: image, levels: levels, instead: old, in: store, zarrFormat: format)
    }
  }

  /// Updates one group in a bucket; what others write meanwhile is read again.
  private func update(
    _ holder: Holder, in bucket: Bucket, _ rules: LockRules
  ) throws(Fault) {
    let key = ConsolidatedMetadata.key(holder.path, zarrFormat: holder.format)
    try BucketDocument(bucket, key, rules).change { (bytes) throws(Fault) in
      guard let bytes else { return nil }
      var changes: [ConsolidatedMetadata.Change] = []
      for index in holder.images { changes += try self.changes(images[index], holder.format) }
      return try ConsolidatedMetadata.updated(
        bytes, of: holder.path, zarrFormat: holder.format, by: changes)?.bytes
    }
  }

  /// The lock under which copies of metadata change, in the folder of stages of the whole hierarchy.
  static let lock = CommitLock(subject: "metadata")

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
    of image: String, _ names: [String], on shelf: Shelf, in store: any Store, zarrFormat: Int
  ) throws(Fault) -> [ConsolidatedMetadata.Change] {
    let list = joinedKey(image, shelf.name)
    var changes = [
      ConsolidatedMetadata.Change(
        written: try documents(list, store, zarrFormat), within: image)
    ]
    for name in names {
      let result = joinedKey(list, name)
      changes.append(
        ConsolidatedMetadata.Change(
          written: try tree(result, store, zarrFormat), replaced: result, within: image))
    }
    return changes
  }

  /// What was written for a derived image and the list of its well, read from the store as it is now.
  private static func changes(
    derived path: String, in store: any Store, zarrFormat: Int
  ) throws(Fault) -> [ConsolidatedMetadata.Change] {
    guard let slash = path.lastIndex(of: "/") else {
      // Directly below the group that holds the copy there is no list to change.
      return [
        ConsolidatedMetadata.Change(
          written: try tree(path, store, zarrFormat), replaced: path)
      ]
    }
    let well = String(path[..<slash])
    return [
      ConsolidatedMetadata.Change(written: try documents(well, store, zarrFormat), within: well),
      ConsolidatedMetadata.Change(
        written: try tree(path, store, zarrFormat), replaced: path, within: well),
    ]
  }

  /// What was written for an image of a new plate and for all groups above it.
  private static func changes(
    ofNewPlate path: String, in store: any Store, zarrFormat: Int
  ) throws(Fault) -> [ConsolidatedMetadata.Change] {
    var written: [MetadataDocument] = []
    // In v3 the document of the plate holds the copy, and no copy of itself.
    for group in ConsolidatedMetadata.holders(of: path).dropFirst()
    where zarrFormat == 2 || !group.isEmpty {
      written += try documents(group, store, zarrFormat)
    }
    return [
      ConsolidatedMetadata.Change(written: written),
      ConsolidatedMetadata.Change(
        written: try tree(path, store, zarrFormat), replaced: path),
    ]
  }

  /// What was written of an image that got other levels, read from the store as it is now.
  static func changes(
    of image: String, levels: [String], instead old: [String], in store: any Store,
    zarrFormat: Int
  ) throws(Fault) -> [ConsolidatedMetadata.Change] {
    let written = try documents(image, store, zarrFormat)
    let gone = old.map {
      ConsolidatedMetadata.Change(written: [], replaced: joinedKey(image, $0), within: image)
    }
    return try gone + [ConsolidatedMetadata.Change(written: written, within: image)]
      + self.written(levels, of: image, in: store, zarrFormat: zarrFormat)
  }

  /// The new levels of an image, read from the store as it is now.
  static func written(
    _ levels: [String], of image: String, in store: any Store, zarrFormat: Int
  ) throws(Fault) -> [ConsolidatedMetadata.Change] {
    var written: [MetadataDocument] = []
    for level in levels { written += try documents(joinedKey(image, level), store, zarrFormat) }
    return [ConsolidatedMetadata.Change(written: written, within: image)]
  }

  /// The metadata documents of a node and of what lies below it: the levels of an image, its label
  /// images and tables, and theirs.
  private static func tree(
    _ path: String, _ store: any Store, _ zarrFormat: Int, depth: Int = 6
  ) throws(Fault) -> [MetadataDocument] {
    var written = try documents(path, store, zarrFormat)
    // Below an array, and below what has no documents, there are chunks.
    if depth == 0 || written.isEmpty || written.contains(where: \.isOfArray) { return written }
    for name in try store.list(path) where !name.hasPrefix(".") && name != "zarr.json" {
      // A file, such as that of a CSV table, has nothing below it.
      guard let below = try? tree(joinedKey(path, name), store, zarrFormat, depth: depth - 1)
      else { continue }
      written += below
    }
    return written
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
      var json = try JSON(parsing: bytes, subject: key, lenient: true)
      // A copy of metadata holds no copies.
      if var object = json.objectValue, object["consolidated_metadata"] != nil {
        object["consolidated_metadata"] = nil
        json = .object(object)
      }
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

extension MetadataDocument {
  /// Whether it describes an array.
  fileprivate var isOfArray: Bool {
    key.hasSuffix(".zarray") || json["node_type"]?.stringValue == "array"
  }
}

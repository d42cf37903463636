import OMImage
import OMJSON
import OMStore
import OMZarr

/// What of a hierarchy goes into an archive, in the order that RFC-9 wants: metadata breadth-first, then data.
struct ArchiveContent: Sendable {
  /// Something that goes in.
  struct Item: Sendable, Equatable {
    /// Its key below the root of the hierarchy, which is that in the archive.
    let key: String
    /// What tells whether it changes meanwhile.
    let stamp: ValueStamp
  }

  /// All that goes in.
  private(set) var items: [Item] = []
  /// What does not: hidden files and what desktops leave.
  private(set) var leftOut: [String] = []
  /// The version of OME-Zarr.
  let version: String
  /// The arrays without shards.
  private(set) var unsharded = 0
  private let place: ImageLocation

  private static let junk: Set<String> = ["Thumbs.db", "desktop.ini", "__MACOSX"]

  /// Lists a hierarchy.
  ///
  /// - Parameter place: Its root.
  /// - Throws: `unsupported` for Zarr v2, `locked` where a run is not finished, `metadata` where there is no
  ///   OME-Zarr, and what listing gives.
  init(_ place: ImageLocation) throws(Fault) {
    self.place = place
    version = try place.naming { () throws(Fault) in try ArchiveContent.version(of: place) }
    var documents: [Item] = []
    do throws(Fault) {
      try walk("", [], &documents)
    } catch { throw place.naming(error) }
    documents.sort { ArchiveContent.isBefore($0.key, $1.key) }
    items = documents + items
  }

  /// What goes into the archive, for laying it out.
  var entries: [ZipWriter.Entry] {
    items.map { ZipWriter.Entry(key: $0.key, size: $0.stamp.size) }
  }

  /// Opens something that goes in.
  func open(_ number: Int) throws(Fault) -> OpenedValue {
    let key = joinedKey(place.path, items[number].key)
    return try place.naming { () throws(Fault) in
      guard let value = try place.store.open(key) else {
        throw Fault(
          .locked, key, "has gone while it was packed",
          hint: "run the command again when nothing else writes there")
      }
      return value
    }
  }

  /// Sees to it that nothing has changed since it was listed.
  func checkUnchanged() throws(Fault) {
    let now = try ArchiveContent(place)
    if now.items == items { return }
    let known = Set(items.map(\.key))
    let other =
      now.items.first { !known.contains($0.key) }
      ?? zip(now.items, items).first { $0 != $1 }?.1
    throw Fault(
      .locked, joinedKey(place.displayName, other?.key ?? ""), "was changed while it was packed",
      hint: "run the command again when nothing else writes there")
  }

  private static func version(of place: ImageLocation) throws(Fault) -> String {
    guard let group = try OMEGroup.read(place.store, path: place.path) else {
      throw Fault(
        .metadata, place.path, "there is no Zarr group",
        hint: "an .ozx holds a whole OME-Zarr: an image, a plate or a collection")
    }
    if group.zarrFormat == 2 {
      throw Fault(
        .unsupported, place.path,
        "this is OME-Zarr \(group.version.rawValue) in Zarr v2, an .ozx holds 0.5 or later",
        hint: "`omtask run convert \(place.displayName) --output FILE.ozx --ome-version 0.5` "
          + "makes one")
    }
    if !group.keys.isEmpty { return group.version.rawValue }
    // Several label images of one run lie below a root that says nothing.
    let labels = joinedKey(place.path, "labels")
    guard let list = try OMEGroup.read(place.store, path: labels), !list.keys.isEmpty else {
      throw Fault(
        .metadata, group.subject, "the group has no metadata of OME-Zarr",
        hint: "an .ozx holds a whole OME-Zarr: an image, a plate or a collection")
    }
    return list.version.rawValue
  }

  // MARK: - The walk

  private mutating func walk(
    _ folder: String, _ above: [FolderIdentity], _ documents: inout [Item]
  ) throws(Fault) {
    let root = joinedKey(place.path, folder)
    var above = above
    if let identity = try (place.store as? FileStore)?.identity(ofFolder: root) {
      if above.contains(identity) {
        throw Fault(
          .path, root, "a link leads back to a folder above it", hint: "remove the link")
      }
      above.append(identity)
    }
    let names = try place.store.list(root)
    if !names.contains("zarr.json"),
      let other = names.first(where: { $0 == ".zarray" || $0 == ".zgroup" })
    {
      throw Fault(
        .unsupported, joinedKey(root, other), "is a node of Zarr v2, an .ozx holds Zarr v3",
        hint: "make it Zarr v3 first, or remove it")
    }
    for name in names.sorted(by: ArchiveContent.isBeforeByNumber) {
      let key = joinedKey(folder, name)
      let path = joinedKey(root, name)
      if name.hasPrefix(".") || ArchiveContent.junk.contains(name) {
        try checkFinished(path, name)
        leftOut.append(key)
        continue
      }
      if try place.store.isFolder(path) {
        try walk(key, above, &documents)
        continue
      }
      guard let stamp = try place.store.stamp(path) else {
        throw Fault(
          .locked, path, "has gone while it was packed",
          hint: "run the command again when nothing else writes there")
      }
      if ZipStore.isOZX(name) {
        throw Fault(
          .unsupported, path, "is an archive, RFC-9 allows none within another one",
          hint: "move it elsewhere")
      }
      let item = Item(key: try checkedKey(key, subject: place.displayName), stamp: stamp)
      if name != "zarr.json" {
        items.append(item)
        continue
      }
      documents.append(item)
      if let array = try? ArrayMetadata.read(place.store, path: root), !array.isSharded {
        unsharded += 1
      }
    }
  }

  /// Refuses a hierarchy in which a run left something that it would go on with.
  private func checkFinished(_ path: String, _ name: String) throws(Fault) {
    guard name.hasSuffix(ImageCommitter.folder), try place.store.isFolder(path) else { return }
    guard let run = try place.store.list(path).first(where: StageFolder.isRunID) else { return }
    throw Fault(
      .locked, joinedKey(path, run), "a run is at work here, or was not finished",
      hint: "finish it with the command that began it, or `omtask clean \(place.displayName)`")
  }

  /// The order of metadata: by depth, then by name.
  private static func isBefore(_ left: String, _ right: String) -> Bool {
    let depths = (left.utf8.count { $0 == 0x2F }, right.utf8.count { $0 == 0x2F })
    return depths.0 != depths.1
      ? depths.0 < depths.1 : left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  /// The order of data: chunk 9 comes before chunk 10.
  private static func isBeforeByNumber(_ left: String, _ right: String) -> Bool {
    let isNumber = { (text: String) in text.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    if left.utf8.count != right.utf8.count, isNumber(left), isNumber(right) {
      return left.utf8.count < right.utf8.count
    }
    return left.utf8.lexicographicallyPrecedes(right.utf8)
  }
}

import Glibc
package import OMJSON

/// A store in a zip archive (`.ozx`, `.zip`), read in place and never changed; every key is an entry.
///
/// The archive stays open, so that it is the same one whatever takes its name meanwhile. Reads come from any
/// number of threads at once. What the directory says is checked when it is opened: afterwards no key leads
/// out of the archive, and no two entries share bytes.
package final class ZipStore: Store {
  /// The archive, without links in its path.
  package let root: String
  /// Size and time of the archive.
  package let archiveStamp: ValueStamp
  private let archive: OpenedValue
  private let directory: ZipDirectory

  /// Opens an archive.
  ///
  /// - Parameter path: Its path; it may be reached through links.
  /// - Throws: `missing`, `permission` or `io` for the file, and what is wrong with its directory: `zip`,
  ///   `path`, `unsupported`, `limit`.
  package convenience init(path: String) throws(Fault) {
    let real: String
    do { real = try realPath(path) } catch { throw error.fault(path, "opening the archive") }
    let file = try openFile(real)
    let stamp: ValueStamp
    do { stamp = ValueStamp(try file.status()) } catch {
      throw error.fault(path, "looking at it")
    }
    let value = try OpenedValue(key: real, file: file)
    try self.init(root: real, value, stamp)
  }

  /// Takes an archive that is open.
  package init(root: String, _ file: OpenedValue, _ stamp: ValueStamp) throws(Fault) {
    self.root = root
    archive = file
    archiveStamp = stamp
    directory = try ZipDirectory(file, subject: root)
    if ZipStore.isOZX(root), directory.find("zarr.json") == nil {
      let inner = directory.list("").first { directory.find("\($0)/zarr.json") != nil }
      throw Fault(
        .zip, root, "the archive has no `zarr.json` at its root",
        hint: inner.map {
          "its hierarchy lies in `\($0)`: unzip it, then `omtask pack \($0) FILE.ozx`"
        } ?? "an .ozx holds one OME-Zarr of version 0.5 or later, as `omtask pack` writes it")
    }
  }

  /// Whether a name is that of an archive with an OME-Zarr.
  package static func isOZX(_ name: String) -> Bool { name.lowercased().hasSuffix(".ozx") }

  package var description: String { root }
  package var folder: String? { nil }

  package func get(_ key: String, limit: Int) throws(Fault) -> [UInt8]? {
    try open(key, misplaced: .io)?.readAll(limit: limit)
  }

  package func open(_ key: String) throws(Fault) -> OpenedValue? {
    try open(key, misplaced: .codec)
  }

  private func open(_ key: String, misplaced: FaultKind) throws(Fault) -> OpenedValue? {
    guard let number = directory.find(key) else {
      try checkAbsent(key, misplaced)
      return nil
    }
    return OpenedValue(key: key, entry: try value(number))
  }

  package func list(_ prefix: String) throws(Fault) -> [String] {
    directory.list(prefix).sorted()
  }

  package func isFolder(_ key: String) throws(Fault) -> Bool { directory.isFolder(key) }

  /// Size and CRC-32, which the directory has: they tell the bytes themselves apart.
  package func stamp(_ key: String) throws(Fault) -> ValueStamp? {
    directory.find(key).map {
      ValueStamp(size: directory.entries[$0].size, modified: Int(directory.entries[$0].crc))
    }
  }

  /// What must not read as a chunk that was never written: a folder, and what lies below a file.
  private func checkAbsent(_ key: String, _ misplaced: FaultKind) throws(Fault) {
    if directory.isFolder(key) {
      throw Fault(misplaced, key, "is a folder, expected a file")
    }
    var parent = key[...]
    while let slash = parent.lastIndex(of: "/") {
      parent = parent[..<slash]
      if directory.find(String(parent)) != nil {
        throw Fault(misplaced, String(parent), "is a file, expected a folder")
      }
    }
  }

  private func value(_ number: Int) throws(Fault) -> ZipValue {
    try ZipValue(
      archive, directory.entries[number], name: directory.name(number), limit: directory.start)
  }
}

// MARK: - The archive as such

extension ZipStore {
  /// Entries that are no folders.
  package var count: Int { directory.entries.count }
  /// The deflated ones among them.
  package var deflatedCount: Int { directory.entries.count { $0.method == .deflated } }
  /// Bytes of the archive.
  package var byteCount: Int { archive.size }
  /// The version of OME-Zarr that its comment tells.
  package var version: String? { directory.comment.version }
  /// Whether its comment promises that metadata come first, and so it is.
  package var isJSONFirst: Bool { directory.comment.isJSONFirst }

  /// What RFC-9 wants otherwise and readers can live with.
  package var remarks: [ZipRemark] {
    let text = "the name of the archive does not end in `.ozx`"
    return (ZipStore.isOZX(root) ? [] : [ZipRemark(subject: .name, text: text)])
      + directory.remarks
  }

  /// The folders with a `zarr.json` that belongs to no group of the root, because a group between them is
  /// missing.
  ///
  /// Below such a folder none is named again.
  package var otherRoots: [String] {
    if directory.find("zarr.json") == nil { return [] }
    var groups: Set<Substring> = [""]
    var folders: [Substring] = []
    let keys = (0..<count).map(key)
    for key in keys where key.hasSuffix("/zarr.json") { folders.append(key.dropLast(10)) }
    var roots: [String] = []
    for folder in folders.sorted(by: { $0.utf8.count < $1.utf8.count }) {
      let parent = folder.lastIndex(of: "/").map { folder[..<$0] } ?? ""
      if !groups.contains(parent) { roots.append(String(folder)) }
      groups.insert(folder)
    }
    return roots.sorted()
  }

  /// The key of an entry, in the order of the directory.
  package func key(_ number: Int) -> String { directory.key(number) }

  /// Bytes of the value of an entry.
  package func size(_ number: Int) -> Int { directory.entries[number].size }

  /// Hands the bytes of an entry to a body piece by piece, and checks their CRC-32.
  ///
  /// - Throws: What `body` throws; `checksum`, `truncated`, `codec`, `zip` or `io` with the key as subject.
  package func forEachPiece(
    of number: Int, _ body: (UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(Fault) {
    try value(number).forEachPiece(body)
  }

  /// Whether an entry has what RFC-9 wants in front of it: ZIP64 fields, and none that it does not know.
  package func looksOfHeader(
    _ number: Int
  ) throws(Fault) -> (isWide: Bool, foreignExtras: Int) {
    let header = try ZipLocal(
      archive, directory.entries[number], name: directory.name(number), limit: directory.start,
      readsExtras: true)
    return (header.isWide || directory.isWide, header.foreignExtras)
  }
}

/// Opens an archive for reading.
private func openFile(_ path: String) throws(Fault) -> Descriptor {
  do {
    return try Descriptor(
      below: AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
  } catch { throw error.fault(path, "opening the archive") }
}

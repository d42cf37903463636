import OMImage
package import OMJSON
import OMStore
import Synchronization

/// Unpacks an archive into a folder (`omtask unpack`).
package struct ArchiveUnpacking: Sendable {
  private let work: SeparateWork

  /// Makes an unpacker.
  ///
  /// - Parameter work: How it works.
  package init(_ work: SeparateWork) { self.work = work }

  /// What came of it.
  package struct Report: Sendable {
    /// Files that were written.
    package let files: Int
    /// Their bytes.
    package let bytes: Int
  }

  /// Unpacks an archive, or a folder in it; the new folder appears whole or not at all.
  ///
  /// Every entry is compared with its CRC-32. No entry is written outside of the folder, nor through a link.
  ///
  /// - Parameters:
  ///   - archive: The path of the archive, or into it.
  ///   - path: The new folder.
  /// - Returns: What was written.
  /// - Throws: `usage` when it is no archive, `exists` or `path` for the folder, what is wrong with the
  ///   archive, and what writing throws.
  package func unpack(_ archive: String, to path: String) throws(Fault) -> Report {
    let place = try LocalPlace(archive)
    guard let store = place.store as? ZipStore else {
      throw Fault(
        .usage, archive, "is a folder, `omtask unpack` takes an archive such as image.ozx")
    }
    let output = try SeparatePath(path, called: "the folder")
    try OutputRules.checkApart(output, ImageLocation(store: store, path: place.key))
    let prefix = place.key.isEmpty ? "" : place.key + "/"
    let numbers = (0..<store.count).filter { store.key($0).hasPrefix(prefix) }
    if numbers.isEmpty {
      throw Fault(.missing, joinedKey(store.root, place.key), "there is no folder in the archive")
    }
    let home = try OutputFolder(path: output.parent)
    if let kind = try home.kind(of: output.name) {
      throw Fault(
        .exists, output.uri, "is there already: \(kind.rawValue)",
        hint: "give the name of a new folder")
    }
    let bytes = numbers.reduce(0) { $0.addingReportingOverflow(store.size($1)).partialValue }
    if let space = try? home.freeSpace() {
      try check(bytes, files: numbers.count, space, output.uri)
    }
    return try work.lockRules.atWork(on: output, in: home) { (workshop) throws(Fault) in
      let name = SeparateCommitter.lock.spare
      let folder = try workshop.makeFolder(name)
      try write(numbers, of: store, without: prefix.utf8.count, into: folder)
      try workshop.renameNoReplace(name, to: home, output.name)
      try home.sync()
      return Report(files: numbers.count, bytes: bytes)
    }
  }

  private func check(
    _ bytes: Int, files: Int, _ space: FreeSpace, _ subject: String
  ) throws(Fault) {
    if bytes < 0 || bytes > space.bytes {
      throw Fault(
        .io, subject,
        "the entries have \(bytes < 0 ? "over 2^63" : "\(bytes)") bytes, "
          + "\(space.bytes) are free", hint: "free some space, or write to another disk")
    }
    if let inodes = space.inodes, files > inodes {
      throw Fault(
        .io, subject, "\(files) files are to be written, the file system takes \(inodes) more",
        hint: "write to another disk")
    }
  }

  private func write(
    _ numbers: [Int], of store: ZipStore, without prefix: Int, into root: OutputFolder
  ) throws(Fault) {
    let folders = OpenFolders(root)
    do {
      try ThreadEngine(threads: work.threads).walk(
        numbers.count, name: { "entry \(store.key(numbers[$0]))" }
      ) { index, _ in
        let number = numbers[index]
        let key = String(decoding: store.key(number).utf8.dropFirst(prefix), as: UTF8.self)
        let slash = key.lastIndex(of: "/")
        let folder = try folders.folder(slash.map { String(key[..<$0]) } ?? "")
        let name = slash.map { String(key[key.index(after: $0)...]) } ?? key
        try write(number, of: store, to: folder.place(name))
      }
      try root.syncDisk()
    } catch { throw Fault(wrapping: error) }
  }

  private func write(_ number: Int, of store: ZipStore, to file: PlacedFile) throws(Fault) {
    var place = 0
    do throws(Fault) {
      try store.forEachPiece(of: number) { (piece) throws(Fault) in
        try file.write(piece, at: place)
        place += piece.count
      }
    } catch {
      // Of the disk or of the archive.
      throw error.subject == file.path ? error : error.below(store.root)
    }
    // The whole disk is waited for once, at the end.
    try file.close(durable: false)
  }
}

/// The folders below another one, each made and opened once.
private final class OpenFolders: Sendable {
  private let root: OutputFolder
  private let known = Mutex<[String: OutputFolder]>([:])

  init(_ root: OutputFolder) { self.root = root }

  /// The folder of a key.
  func folder(_ key: String) throws(Fault) -> OutputFolder {
    if key.isEmpty { return root }
    if let folder = known.withLock({ $0[key] }) { return folder }
    let folder = try root.makeFolder(key)
    // Chunks have many folders, and a process may open few.
    known.withLock { if $0.count < 64 { $0[key] = folder } }
    return folder
  }
}

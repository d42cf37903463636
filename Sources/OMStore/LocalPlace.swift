import Glibc
package import OMJSON

/// What a local path leads to: a folder, or an archive and a key in it.
package struct LocalPlace: Sendable {
  /// The folder or the archive.
  package let store: any Store
  /// The key in the archive; empty for all of it, and for a folder.
  package let key: String

  /// Opens what a path leads to.
  ///
  /// - Parameters:
  ///   - path: A folder, an archive (`image.ozx`), or a path into one (`plate.ozx/A/1/0`).
  ///   - followLinks: Whether links may leave the folder.
  /// - Throws: `missing`, `permission` or `path`, and what is wrong with an archive.
  package init(_ path: String, followLinks: Bool = false) throws(Fault) {
    if let (archive, key) = try LocalPlace.archive(in: path) {
      let opened = try ZipStore(path: archive)
      if !key.isEmpty, try !opened.isFolder(key), try opened.stamp(key) == nil {
        throw Fault(.missing, path, "there is nothing of that name in the archive")
      }
      store = opened
      self.key = key
    } else {
      store = try FileStore(root: path, followLinks: followLinks)
      key = ""
    }
  }

  /// The path of a URI of this machine: a path as it is, or what `file://` names.
  ///
  /// - Parameters:
  ///   - uri: The URI.
  ///   - refusal: What to say of all others.
  ///   - hint: The way out.
  /// - Returns: The path.
  /// - Throws: `unsupported` for a URI of another machine.
  package static func path(
    of uri: String, refusal: String, hint: String? = nil
  ) throws(Fault) -> String {
    let path = fileURLPath(uri) ?? uri
    if path.contains("://") { throw Fault(.unsupported, shownURI(uri), refusal, hint: hint) }
    return path
  }

  /// The archive that a path leads to or into, and the rest of the path; nil when there is none.
  ///
  /// Every file is one whose name ends in `.ozx` or `.zip`, or that begins as zip archives do.
  ///
  /// - Throws: A fault of kind `path` for a rest that leads elsewhere.
  package static func archive(in path: String) throws(Fault) -> (path: String, key: String)? {
    guard let place = try file(in: path), isArchive(place.path) else { return nil }
    return place
  }

  /// The file that a path leads to or into, and the rest of the path; nil when there is none.
  ///
  /// - Throws: A fault of kind `path` for a rest that leads elsewhere.
  package static func file(in path: String) throws(Fault) -> (path: String, key: String)? {
    var front = path[...]
    while front.count > 1 && front.hasSuffix("/") { front.removeLast() }
    let whole = front
    while !front.isEmpty {
      var status = stat()
      if stat(String(front), &status) == 0 {
        guard EntryKind(mode: status.st_mode) == .file else { return nil }
        let rest = whole[front.endIndex...].drop { $0 == "/" }
        let key = rest.isEmpty ? "" : try checkedKey(String(rest), subject: String(front))
        return (String(front), key)
      }
      if errno != ENOTDIR && errno != ENOENT { return nil }
      guard let slash = front.lastIndex(of: "/") else { return nil }
      front = front[..<slash]
      while front.hasSuffix("/") { front.removeLast() }
    }
    return nil
  }

  /// The folder that a path names, or that holds the file or the archive that it leads to or into.
  ///
  /// - Throws: `missing` when there is nothing of that name, `unsupported` for URIs of other machines.
  package static func folder(around uri: String) throws(Fault) -> String {
    let path = try path(
      of: uri, refusal: "only local paths, `http(s)://` and `s3://` are looked at")
    var status = stat()
    if stat(path, &status) == 0, EntryKind(mode: status.st_mode) == .folder { return path }
    let reason = errno
    guard let file = try file(in: path)?.path else {
      let error = Errno(code: reason == 0 ? ENOTDIR : reason)
      if !error.meansAbsent { throw error.fault(path, "looking at it") }
      throw Fault(.missing, path, "there is nothing of that name")
    }
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }

  /// Whether anything has this path.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }

  private static func isArchive(_ path: String) -> Bool {
    let name = path.lowercased()
    if name.hasSuffix(".ozx") || name.hasSuffix(".zip") { return true }
    let start = beginning(of: path)
    return start.count == 4 && start.zip32(0) == ZipFormat.Local.signature
  }

  /// The first four bytes of a file; fewer when it has no more or cannot be read.
  package static func beginning(of path: String) -> [UInt8] {
    do {
      let file = try Descriptor(below: AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      var start = [UInt8](repeating: 0, count: 4)
      let count = try start.withUnsafeMutableBytes { (buffer) throws(Errno) in
        try file.read(at: 0, into: buffer)
      }
      return Array(start[..<count])
    } catch { return [] }
  }
}

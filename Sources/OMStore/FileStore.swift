import CSys
import Glibc
package import OMJSON

/// A store in a folder; every key is a file below it.
///
/// The folder itself may be reached through links. Below it links are followed as long as they stay
/// below it; the kernel sees to that in the same call that opens the file.
package final class FileStore: Store {
  /// The folder, without links in its path.
  package let root: String
  private let opened: Descriptor
  private let followLinks: Bool
  private let kernelGuardsRoot: Bool

  /// Opens a folder as a store.
  ///
  /// - Parameters:
  ///   - root: Path of the folder.
  ///   - followLinks: Whether links may leave the folder.
  /// - Throws: Kind `missing` when there is no such folder, `permission` when it may not be entered.
  package convenience init(root: String, followLinks: Bool = false) throws(Fault) {
    try self.init(root: root, followLinks: followLinks, asksKernel: true)
  }

  /// Opens a folder; without `asksKernel` as on a kernel that cannot guard it.
  init(root: String, followLinks: Bool, asksKernel: Bool) throws(Fault) {
    do {
      self.root = try realPath(root)
      opened = try Descriptor(below: AT_FDCWD, self.root, O_RDONLY | O_DIRECTORY)
    } catch { throw error.fault(root, "opening the folder") }
    self.followLinks = followLinks
    kernelGuardsRoot = asksKernel && kernelCanGuard(opened.number)
  }

  /// The path of a key without links; nil when nothing is there.
  package func resolved(_ key: String) -> String? {
    try? realPath(key.isEmpty ? root : root + "/" + key)
  }

  package var description: String { root }
  package var folder: String? { root }

  package func get(_ key: String, limit: Int) throws(Fault) -> [UInt8]? {
    try open(key, misplaced: .io)?.readAll(limit: limit)
  }

  package func open(_ key: String) throws(Fault) -> OpenedValue? {
    try open(key, misplaced: .codec)
  }

  private func open(_ key: String, misplaced: FaultKind) throws(Fault) -> OpenedValue? {
    // O_NONBLOCK: opening a pipe must not wait for somebody who writes to it.
    let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY
    guard let file = try descriptor(key, flags, misplaced: misplaced) else { return nil }
    return try OpenedValue(key: key, file: file, misplaced: misplaced)
  }

  package func list(_ prefix: String) throws(Fault) -> [String] {
    let key = prefix.isEmpty ? "." : prefix
    guard let folder = try descriptor(key, O_RDONLY | O_DIRECTORY) else { return [] }
    do { return sortedKeys(try entryNames(folder)) } catch { throw error.fault(key, "listing it") }
  }

  package func isFolder(_ key: String) throws(Fault) -> Bool {
    guard let file = try descriptor(key.isEmpty ? "." : key, Int32(om_open_path)) else {
      return false
    }
    do { return EntryKind(mode: try file.status().st_mode) == .folder } catch {
      throw error.fault(key, "looking at it")
    }
  }

  /// What tells a folder from all others, by whatever way it is reached; nil when there is none.
  package func identity(ofFolder key: String) throws(Fault) -> FolderIdentity? {
    guard let file = try descriptor(key.isEmpty ? "." : key, Int32(om_open_path)) else {
      return nil
    }
    do {
      let status = try file.status()
      return FolderIdentity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    } catch { throw error.fault(key, "looking at it") }
  }

  package func stamp(_ key: String) throws(Fault) -> ValueStamp? {
    do throws(Fault) {
      guard let file = try descriptor(key, Int32(om_open_path), misplaced: .codec) else {
        return nil
      }
      do { return ValueStamp(try file.status()) } catch { throw error.fault(key, "looking at it") }
    } catch {
      // A file where a folder should be: whoever reads the value says so.
      if error.kind == .codec { return nil }
      throw error
    }
  }
}

extension FileStore {
  /// Opens a key, or returns nil when nothing has it.
  ///
  /// - Throws: Kind `misplaced` for a file where a folder should be.
  private func descriptor(
    _ key: String, _ flags: Int32, misplaced: FaultKind = .io
  ) throws(Fault) -> Descriptor? {
    if kernelGuardsRoot && !followLinks {
      // Most keys have no link on their way; if such a key is absent no second look is needed.
      do {
        return try Descriptor(beneath: opened.number, key, flags, links: om_refuse_links)
      } catch { if error.code == ENOENT { return nil } }
    }
    let reason: Errno
    do {
      return try openGuarded(key, flags)
    } catch { reason = error }
    // EXDEV: a link leaves the folder or has an absolute path; EAGAIN: somebody renamed meanwhile.
    if [EXDEV, EAGAIN, ENOSYS].contains(reason.code) {
      return try openResolved(key, flags, misplaced)
    }
    return try absent(key, reason, misplaced)
  }

  private func openGuarded(_ key: String, _ flags: Int32) throws(Errno) -> Descriptor {
    if followLinks { return try Descriptor(below: opened.number, key, flags) }
    guard kernelGuardsRoot else { throw Errno(code: ENOSYS) }
    return try Descriptor(beneath: opened.number, key, flags, links: om_follow_links)
  }

  /// Opens what a key really is when that lies below the root; slower, and for few files only.
  private func openResolved(
    _ key: String, _ flags: Int32, _ misplaced: FaultKind
  ) throws(Fault) -> Descriptor? {
    let path: String
    do { path = try realPath(root + "/" + key) } catch {
      return try absent(key, error, misplaced)
    }
    if !followLinks && !isBelowRoot(path) {
      try refuseSpecial(path, key)
      throw leadsOut(key, path)
    }
    do {
      return try Descriptor(below: AT_FDCWD, path, flags | O_NOFOLLOW)
    } catch { return try absent(key, error, misplaced) }
  }

  private func isBelowRoot(_ path: String) -> Bool {
    path == root || path.hasPrefix(root == "/" ? root : root + "/")
  }

  private func leadsOut(_ key: String, _ path: String) -> Fault {
    Fault(
      .path, key, "a link leads to `\(path)`, which is outside `\(root)`",
      hint: "`--follow-links` allows links that leave the image")
  }

  /// Refuses what is no file wherever it lies: no flag makes a device readable.
  private func refuseSpecial(_ path: String, _ key: String) throws(Fault) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    let kind = EntryKind(mode: status.st_mode)
    if kind == .file || kind == .folder { return }
    throw Fault(
      .io, key, "leads to \(kind.rawValue), `\(path)`, expected a file",
      hint: "only regular files are read; remove it or restore the file")
  }

  /// Nil when nothing has this key; everything else is a fault.
  ///
  /// What must not read as a chunk that was never written: a link to nothing, a way through a link
  /// that leaves the root, and a file where a folder should be.
  private func absent(
    _ key: String, _ reason: Errno, _ misplaced: FaultKind
  ) throws(Fault) -> Descriptor? {
    guard reason.meansAbsent else { throw reason.fault(key, "opening it") }
    var part = ""
    for name in key.split(separator: "/") {
      part += part.isEmpty ? String(name) : "/" + name
      var status = stat()
      guard fstatat(opened.number, part, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
      let kind = EntryKind(mode: status.st_mode)
      if kind == .link {
        try refuseLink(part)
      } else if kind != .folder && part.utf8.count < key.utf8.count {
        throw Fault(misplaced, part, "is \(kind.rawValue), expected a folder")
      }
    }
    return nil
  }

  private func refuseLink(_ key: String) throws(Fault) {
    guard let path = try? realPath(root + "/" + key) else {
      throw Fault(
        .missing, key, "is a link to something that does not exist",
        hint: "bring the data here first, for example with `git annex get` or `datalad get`")
    }
    if !followLinks && !isBelowRoot(path) { throw leadsOut(key, path) }
  }
}

/// What tells a folder from all others.
package struct FolderIdentity: Sendable, Hashable {
  let device: UInt64
  let number: UInt64
}

/// Whether this kernel can open below a folder only; not before 5.6, nor in some old sandboxes.
private func kernelCanGuard(_ folder: Int32) -> Bool {
  do {
    _ = try Descriptor(beneath: folder, ".", Int32(om_open_path), links: om_follow_links)
    return true
  } catch { return false }
}

/// The absolute path of something that exists, without links.
func realPath(_ path: String) throws(Errno) -> String {
  guard let real = realpath(path, nil) else { throw Errno(code: errno) }
  defer { free(real) }
  return String(cString: real)
}

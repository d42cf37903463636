import CSys
import Glibc
package import OMJSON

/// A folder to write into: everything goes through its open descriptor and never through a link.
///
/// A folder that is moved stays the same folder, and a link that somebody plants below it is
/// refused, so nothing is ever written elsewhere. Relative paths follow the rules of
/// ``checkedKey(_:subject:)``. Files and folders get the modes that the umask leaves. All calls are
/// local and may come from any thread; faults name the whole path.
package final class OutputFolder: Sendable {
  /// Where the folder was when it was opened, for messages.
  package let path: String
  let descriptor: Descriptor

  /// Opens a folder that exists; its own path may hold links, since a person gave it.
  package init(path: String) throws(Fault) {
    self.path = path
    do {
      descriptor = try Descriptor(below: AT_FDCWD, path, O_RDONLY | O_DIRECTORY)
    } catch { throw error.fault(path, "opening the folder") }
  }

  init(path: String, descriptor: consuming Descriptor) {
    self.path = path
    self.descriptor = descriptor
  }

  /// The whole path of something in this folder.
  func path(of relative: String) -> String { path == "/" ? "/" + relative : path + "/" + relative }
}

// MARK: - Folders below it

extension OutputFolder {
  /// The folder below this one, which must exist.
  package func folder(_ relative: String) throws(Fault) -> OutputFolder {
    try walk(parts(of: relative), making: false)
  }

  /// The folder below this one, made with its parents where they do not exist.
  ///
  /// Another run may remove an empty folder on the way at the same time; it is made again.
  package func makeFolder(_ relative: String) throws(Fault) -> OutputFolder {
    let parts = try parts(of: relative)
    for _ in 0..<100 {
      do { return try walk(parts, making: true) } catch {
        if error.kind != .missing { throw error }
      }
      usleep(UInt32.random(in: 0...500))
    }
    return try walk(parts, making: true)
  }

  /// The folder of this name directly in this one, made when it does not exist.
  ///
  /// - Returns: The folder, and whether it was made by this call.
  package func makeFolderTellingNew(
    _ name: String
  ) throws(Fault) -> (folder: OutputFolder, isNew: Bool) {
    let parts = try parts(of: name)
    let isNew = try makeUnlessThere(parts[0])
    return (try step(parts[0]), isNew)
  }

  /// The folder that holds `relative`, and the name of `relative` in it.
  func parent(
    of relative: String, making: Bool = false
  ) throws(Fault) -> (folder: OutputFolder, name: String) {
    var parts = try parts(of: relative)
    let name = parts.removeLast()
    return (parts.isEmpty ? self : try walk(parts, making: making), name)
  }

  /// The same, or nil when there is no such folder.
  func existingParent(
    of relative: String
  ) throws(Fault) -> (folder: OutputFolder, name: String)? {
    do {
      return try parent(of: relative)
    } catch {
      if error.kind == .missing { return nil }
      throw error
    }
  }

  private func parts(of relative: String) throws(Fault) -> [String] {
    try checkedKey(relative, subject: path).utf8.split(separator: UInt8(ascii: "/"))
      .map { String(Substring($0)) }
  }

  private func walk(_ parts: [String], making: Bool) throws(Fault) -> OutputFolder {
    var here = self
    var mayBeWhole = parts.count > 1
    for (index, part) in parts.enumerated() {
      let isNew = making ? try here.makeUnlessThere(part) : false
      // Below a folder that is new there is nothing to find.
      if !isNew && mayBeWhole {
        if let known = here.openWhole(parts[index...]) { return known }
        mayBeWhole = false
      }
      here = try here.step(part)
    }
    return here
  }

  /// Makes a folder without looking first, since mostly it is new; false when it was there already,
  /// perhaps because another rank was faster.
  private func makeUnlessThere(_ name: String) throws(Fault) -> Bool {
    do {
      _ = try system { mkdirat(descriptor.number, name, 0o777) }
      return true
    } catch {
      if error.code == EEXIST { return false }
      throw fault(error, name, "making the folder")
    }
  }

  /// Opens a folder several levels below in one call; nil when that needs a closer look.
  private func openWhole(_ parts: ArraySlice<String>) -> OutputFolder? {
    let relative = parts.joined(separator: "/")
    do {
      let descriptor = try Descriptor(
        beneath: descriptor.number, relative, O_RDONLY | O_DIRECTORY, links: om_refuse_links)
      return OutputFolder(path: path(of: relative), descriptor: descriptor)
    } catch { return nil }
  }

  private func step(_ name: String) throws(Fault) -> OutputFolder {
    do {
      return OutputFolder(path: path(of: name), descriptor: try openFolder(name))
    } catch {
      // The kernel answers ENOTDIR for links too, since it was told not to follow them.
      try refuseLink(name)
      if error.code == ENOTDIR {
        throw Fault(.io, path(of: name), "is a file, expected a folder")
      }
      throw fault(error, name, "opening the folder")
    }
  }

  private func openFolder(_ name: String) throws(Errno) -> Descriptor {
    try Descriptor(below: descriptor.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  }
}

// MARK: - What is in it

extension OutputFolder {
  /// What stands under a name, or nil when nothing does; a link is a link.
  package func kind(of relative: String) throws(Fault) -> EntryKind? {
    try status(of: relative).map { EntryKind(mode: $0.st_mode) }
  }

  /// What the kernel knows about a name, or nil when nothing has it.
  func status(of relative: String) throws(Fault) -> stat? {
    guard let (folder, name) = try existingParent(of: relative) else { return nil }
    var result = stat()
    do {
      _ = try system {
        fstatat(folder.descriptor.number, name, &result, AT_SYMLINK_NOFOLLOW)
      }
      return result
    } catch {
      if error.meansAbsent { return nil }
      throw error.fault(path(of: relative), "looking at it")
    }
  }

  /// The names in this folder, sorted.
  package func list() throws(Fault) -> [String] {
    do {
      return sortedKeys(
        try entryNames(Descriptor(below: descriptor.number, ".", O_RDONLY | O_DIRECTORY)))
    } catch { throw error.fault(path, "listing it") }
  }

  /// The bytes of a file, or nil when nothing has this name.
  ///
  /// - Parameters:
  ///   - relative: The file.
  ///   - limit: The most bytes that make sense.
  /// - Returns: All bytes.
  /// - Throws: Kind `path` for links, `io` for what is no regular file, `limit` for more bytes.
  package func read(_ relative: String, limit: Int) throws(Fault) -> [UInt8]? {
    try open(relative)?.readAll(limit: limit)
  }

  /// Opens a file for reading; nil when nothing has this name.
  ///
  /// - Throws: Kind `path` for links, `io` for what is no regular file.
  package func open(_ relative: String) throws(Fault) -> OpenedValue? {
    guard let (folder, name) = try existingParent(of: relative) else { return nil }
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    let file: Descriptor
    do {
      file = try Descriptor(below: folder.descriptor.number, name, flags)
    } catch {
      if error.code == ENOENT { return nil }
      throw error.fault(path(of: relative), "opening it")
    }
    return try OpenedValue(key: path(of: relative), file: file)
  }

  /// Room on the disk.
  package func freeSpace() throws(Fault) -> FreeSpace {
    do { return try descriptor.freeSpace() } catch {
      throw error.fault(path, "asking for free space")
    }
  }

  /// Refuses a name that is a link.
  func refuseLink(_ name: String) throws(Fault) {
    if try kind(of: name) == .link {
      throw Fault(
        .path, path(of: name), "is a link, and nothing is written through links",
        hint: "remove the link, or name the folder it leads to as the output")
    }
  }
}

/// Room on a disk for somebody without special rights.
package struct FreeSpace: Sendable, Hashable {
  /// Bytes that can still be written.
  package let bytes: Int
  /// Files that can still be made; nil where the file system has no such limit.
  package let inodes: Int?

  /// Makes a description of room.
  package init(bytes: Int, inodes: Int?) {
    self.bytes = bytes
    self.inodes = inodes
  }
}

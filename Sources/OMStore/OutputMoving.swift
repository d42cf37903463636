import CSys
import Glibc
package import OMJSON

// Renames and removals, the steps that make results visible.

extension OutputFolder {
  /// Moves a file or folder to a name that must be free.
  ///
  /// Where the file system cannot do that in one step the name is looked at first; even then a
  /// folder with anything in it is never replaced.
  ///
  /// - Parameters:
  ///   - old: What to move.
  ///   - target: The folder to move it into.
  ///   - new: Its name there.
  /// - Throws: Kind `exists` when the name is taken, and nothing has changed.
  package func renameNoReplace(
    _ old: String, to target: OutputFolder, _ new: String
  ) throws(Fault) {
    let (from, oldName) = try parent(of: old)
    let (into, newName) = try target.parent(of: new)
    do {
      try from.renameToFree(oldName, into, newName)
    } catch {
      if error.code == EEXIST || error.code == ENOTEMPTY {
        throw Fault(.exists, into.path(of: newName), "exists already, nothing was moved there")
      }
      throw into.fault(error, newName, "moving `\(from.path(of: oldName))` there")
    }
  }

  /// Moves a file to a name, in place of a file that may be there.
  ///
  /// - Parameters:
  ///   - old: What to move.
  ///   - target: The folder to move it into.
  ///   - new: Its name there.
  /// - Throws: Kind `path` when there is a link, `exists` when there is a folder; nothing has changed then.
  package func renameReplacing(
    _ old: String, to target: OutputFolder, _ new: String
  ) throws(Fault) {
    let (from, oldName) = try parent(of: old)
    let (into, newName) = try target.parent(of: new)
    try into.refuseLink(newName)
    do {
      try from.rename(oldName, into, newName, 0)
    } catch {
      if error.code == EISDIR {
        throw Fault(.exists, into.path(of: newName), "is there already and is a folder")
      }
      throw into.fault(error, newName, "moving `\(from.path(of: oldName))` there")
    }
  }

  /// Lets two files or folders change places in one step.
  ///
  /// - Parameters:
  ///   - old: The one below this folder.
  ///   - target: The folder of the other one.
  ///   - new: The other one.
  /// - Throws: Kind `unsupported` where the file system cannot do that, and nothing has changed.
  package func renameExchange(
    _ old: String, with target: OutputFolder, _ new: String
  ) throws(Fault) {
    let (from, oldName) = try parent(of: old)
    let (into, newName) = try target.parent(of: new)
    do {
      try from.rename(oldName, into, newName, om_rename_exchange)
    } catch {
      if error.meansUnknownCall {
        throw Fault(
          .unsupported, into.path(of: newName),
          "this file system cannot exchange two names in one step")
      }
      throw into.fault(error, newName, "exchanging it with `\(from.path(of: oldName))`")
    }
  }

  private func rename(
    _ old: String, _ target: OutputFolder, _ new: String, _ flag: Int
  ) throws(Errno) {
    _ = try system {
      om_renameat2(descriptor.number, old, target.descriptor.number, new, UInt32(flag))
    }
  }

  /// Moves to a free name in one step where the file system can.
  func renameToFree(
    _ old: String, _ target: OutputFolder, _ new: String
  ) throws(Errno) {
    do {
      try rename(old, target, new, om_rename_noreplace)
    } catch {
      guard error.meansUnknownCall else { throw error }
      try renameAfterLooking(old, target, new)
    }
  }

  /// Moves to a free name on file systems without the flag.
  func renameAfterLooking(
    _ old: String, _ target: OutputFolder, _ new: String
  ) throws(Errno) {
    var status = stat()
    if fstatat(target.descriptor.number, new, &status, AT_SYMLINK_NOFOLLOW) == 0 {
      throw Errno(code: EEXIST)
    }
    try rename(old, target, new, 0)
  }
}

// MARK: - Removal

extension OutputFolder {
  /// Removes a file, or a folder with all that is in it; links are removed, never followed.
  ///
  /// Nothing happens when nothing has this name.
  package func removeTree(_ relative: String) throws(Fault) {
    guard let (folder, name) = try existingParent(of: relative) else { return }
    do {
      try removeEntry(Array(name.utf8CString), of: folder.descriptor.number)
    } catch { throw error.fault(path(of: relative), "removing it") }
  }
}

extension OutputFolder {
  /// Removes a folder directly in this one when nothing is in it.
  ///
  /// Nothing happens when there is something, or no folder of this name.
  package func removeIfEmpty(_ name: String) throws(Fault) {
    do {
      _ = try removeEmpty(Array(name.utf8CString), of: descriptor.number)
    } catch {
      if !error.meansAbsent { throw error.fault(path(of: name), "removing it") }
    }
  }
}

private func removeEntry(_ name: [CChar], of folder: Int32) throws(Errno) {
  do {
    _ = try system { unlinkat(folder, name, 0) }
  } catch {
    if error.code == ENOENT { return }
    guard error.code == EISDIR else { throw error }
    if try !removeEmpty(name, of: folder) { try removeFolder(name, of: folder) }
  }
}

/// Removes a folder with nothing in it; false when there is something.
private func removeEmpty(_ name: [CChar], of folder: Int32) throws(Errno) -> Bool {
  do {
    _ = try system { unlinkat(folder, name, AT_REMOVEDIR) }
    return true
  } catch {
    if error.code == ENOTEMPTY || error.code == EEXIST { return false }
    throw error
  }
}

private func removeFolder(_ name: [CChar], of folder: Int32) throws(Errno) {
  let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
  let here = Descriptor(try system { openat(folder, name, flags) })
  for entry in try entryNames(here) { try removeEntry(entry, of: here.number) }
  _ = try system { unlinkat(folder, name, AT_REMOVEDIR) }
}

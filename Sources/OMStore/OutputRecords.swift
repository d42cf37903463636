import CSys
import Glibc
package import OMJSON

// What journals and locks need: files that grow, names that only one can take, and waiting for the
// disk.

/// A file that is only ever added to, such as a journal.
package final class AppendedFile: Sendable {
  private let path: String
  private let file: Descriptor

  init(path: String, file: consuming Descriptor) {
    self.path = path
    self.file = file
  }

  /// Adds bytes at the end.
  package func append(_ bytes: [UInt8]) throws(Fault) {
    do {
      try bytes.withUnsafeBufferPointer { (buffer) throws(Errno) in
        try file.write([UnsafeRawBufferPointer(buffer)])
      }
    } catch { throw file.fault(error, path, "adding \(bytes.count) bytes") }
  }

  /// Waits until all that was added is on the disk.
  package func sync() throws(Fault) {
    do { try file.sync() } catch { throw file.fault(error, path, "waiting for the disk") }
  }
}

extension OutputFolder {
  /// Opens a file to add to, made for its owner and group when it does not exist.
  package func append(to relative: String) throws(Fault) -> AppendedFile {
    let (folder, name) = try parent(of: relative, making: true)
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK
    let file: Descriptor
    do {
      file = try Descriptor(below: folder.descriptor.number, name, flags, mode: 0o640)
    } catch { throw folder.fault(error, name, "opening it to add to it") }
    _ = try file.regularFileSize(path(of: relative))
    return AppendedFile(path: path(of: relative), file: file)
  }

  /// Gives a file a second name, which must be free; of several callers one succeeds.
  ///
  /// This is how locks are taken: unlike file locks it also holds between machines.
  ///
  /// - Parameters:
  ///   - existing: The file.
  ///   - new: Its second name.
  /// - Throws: Kind `exists` when the name is taken.
  package func link(_ existing: String, as new: String) throws(Fault) {
    let (from, oldName) = try parent(of: existing)
    let (into, newName) = try parent(of: new)
    do {
      _ = try system {
        linkat(from.descriptor.number, oldName, into.descriptor.number, newName, 0)
      }
    } catch { throw into.fault(error, newName, "linking it to `\(path(of: existing))`") }
  }

  /// Sets the time of the last change to now, by the clock of the file server.
  package func touch(_ relative: String) throws(Fault) {
    let (folder, name) = try parent(of: relative)
    do {
      _ = try system {
        utimensat(folder.descriptor.number, name, nil, AT_SYMLINK_NOFOLLOW)
      }
    } catch { throw error.fault(path(of: relative), "touching it") }
  }

  /// Size and time of a file, or nil when nothing has this name.
  package func stamp(_ relative: String) throws(Fault) -> ValueStamp? {
    try status(of: relative).map(ValueStamp.init)
  }
}

// MARK: - Waiting for the disk

extension OutputFolder {
  /// Waits until the names in this folder are on the disk.
  package func sync() throws(Fault) {
    do { try descriptor.sync() } catch {
      throw descriptor.fault(error, path, "waiting for the disk")
    }
  }

  /// Waits until everything that was written to the disk of this folder is there: one call for many files.
  package func syncDisk() throws(Fault) {
    do {
      _ = try system { om_sync_disk(descriptor.number) }
    } catch { throw descriptor.fault(error, path, "waiting for the disk") }
  }

  /// Waits until a file or folder below this one is on the disk.
  package func sync(_ relative: String) throws(Fault) {
    let (folder, name) = try parent(of: relative)
    do {
      let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
      try Descriptor(below: folder.descriptor.number, name, flags).sync()
    } catch { throw folder.fault(error, name, "waiting for the disk") }
  }
}

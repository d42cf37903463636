import Glibc
package import OMJSON

// Whole files, each written under a hidden name and then renamed.

extension OutputFolder {
  /// Writes a whole file: a reader sees the old one or the new one and never a part.
  ///
  /// Folders on the way are made. When this throws, the old file is as it was and no other is left.
  ///
  /// - Parameters:
  ///   - relative: The file.
  ///   - buffers: Its bytes, one buffer after the other.
  ///   - writer: Who writes, such as the rank; no two writers of a file may have the same name.
  ///   - durable: Whether to wait until the bytes are on the disk.
  /// - Throws: Kind `io` when the disk is full or broken, `permission`, or `path` for links.
  package func write(
    _ relative: String, _ buffers: [UnsafeRawBufferPointer], writer: String = "0",
    durable: Bool = false
  ) throws(Fault) {
    let (folder, name) = try parent(of: relative, making: true)
    let hidden = ".\(name).\(writer).tmp"
    do {
      try folder.writeHere(name, through: hidden, buffers, durable: durable)
    } catch {
      _ = unlinkat(folder.descriptor.number, hidden, 0)
      throw error
    }
  }

  /// Writes a whole file from one array.
  ///
  /// - Parameters:
  ///   - relative: The file.
  ///   - bytes: Its bytes.
  ///   - writer: Who writes, such as the rank.
  ///   - durable: Whether to wait until the bytes are on the disk.
  /// - Throws: As for several buffers.
  package func write(
    _ relative: String, _ bytes: [UInt8], writer: String = "0", durable: Bool = false
  ) throws(Fault) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(Fault) in
      try write(relative, [UnsafeRawBufferPointer(buffer)], writer: writer, durable: durable)
    }
  }

  /// Writes a whole file where nobody looks yet, without a hidden name of its own.
  ///
  /// This is for files of a hidden folder that becomes visible later, and that are written again
  /// should this process end before. A file that is there already is replaced as by `write`.
  ///
  /// - Parameters:
  ///   - name: The file, directly in this folder.
  ///   - bytes: Its bytes.
  ///   - writer: Who writes, such as the rank.
  /// - Throws: As `write`.
  package func writeUnseen(
    _ name: String, _ bytes: [UInt8], writer: String = "0"
  ) throws(Fault) {
    do {
      try bytes.withUnsafeBufferPointer { (buffer) throws(Errno) in
        try create(name).fill([UnsafeRawBufferPointer(buffer)], durable: false)
      }
    } catch {
      if error.code == EEXIST { return try write(name, bytes, writer: writer) }
      _ = unlinkat(descriptor.number, name, 0)
      throw fault(error, name, "writing \(bytes.count) bytes")
    }
  }

  private func writeHere(
    _ name: String, through hidden: String, _ buffers: [UnsafeRawBufferPointer], durable: Bool
  ) throws(Fault) {
    do {
      try createNew(hidden).fill(buffers, durable: durable)
    } catch {
      let count = buffers.reduce(0) { $0 + $1.count }
      throw fault(error, name, "writing \(count) bytes")
    }
    try putInPlace(name, hidden)
  }

  private func putInPlace(_ name: String, _ hidden: String) throws(Fault) {
    do {
      // Mostly the name is free, and then there is nothing to look at.
      return try renameToFree(hidden, self, name)
    } catch {
      if error.code != EEXIST { throw fault(error, name, "putting it in place") }
    }
    // Renaming would replace a link and leave its target alone, but nobody put it there for good.
    try refuseLink(name)
    do {
      _ = try system { renameat(descriptor.number, hidden, descriptor.number, name) }
    } catch { throw fault(error, name, "putting it in place") }
  }

  /// Opens a new file; one that a killed run left under this name is removed.
  func createNew(_ name: String) throws(Errno) -> Descriptor {
    do {
      return try create(name)
    } catch {
      guard error.code == EEXIST else { throw error }
      _ = try system { unlinkat(descriptor.number, name, 0) }
      return try create(name)
    }
  }

  /// Opens a new file under a name that must be free.
  private func create(_ name: String) throws(Errno) -> Descriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    return try Descriptor(below: descriptor.number, name, flags, mode: 0o666)
  }

  /// The fault of a step that failed here; it tells the room that is left when that was too little.
  func fault(_ reason: Errno, _ name: String, _ action: String) -> Fault {
    descriptor.fault(reason, path(of: name), action)
  }
}

extension Descriptor {
  /// The fault of a step that failed on this file or folder; it tells the room that is left when that
  /// was too little.
  func fault(_ reason: Errno, _ subject: String, _ action: String) -> Fault {
    var fault = reason.fault(subject, action)
    guard [ENOSPC, EDQUOT].contains(reason.code), let space = try? freeSpace() else { return fault }
    let files = space.inodes.map { " and \($0) files" } ?? ""
    fault.facts.append("free here: \(space.bytes) bytes\(files)")
    return fault
  }

  /// Room on the disk that this file or folder lies on.
  func freeSpace() throws(Errno) -> FreeSpace {
    var status = statvfs()
    _ = try system { fstatvfs(number, &status) }
    let (bytes, overflow) = status.f_bavail.multipliedReportingOverflow(by: status.f_frsize)
    return FreeSpace(
      bytes: overflow ? .max : Int(clamping: bytes),
      inodes: status.f_files == 0 ? nil : Int(clamping: status.f_favail))
  }
}

extension Descriptor {
  /// Writes all of a new file and closes it.
  fileprivate consuming func fill(
    _ buffers: [UnsafeRawBufferPointer], durable: Bool
  ) throws(Errno) {
    try write(buffers)
    if durable { try sync() }
    try close()
  }
}

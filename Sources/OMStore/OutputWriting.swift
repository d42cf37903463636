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

  private func writeHere(
    _ name: String, through hidden: String, _ buffers: [UnsafeRawBufferPointer], durable: Bool
  ) throws(Fault) {
    do {
      try writeNew(hidden, buffers, durable: durable)
    } catch {
      let count = buffers.reduce(0) { $0 + $1.count }
      throw fault(error, name, "writing \(count) bytes")
    }
    // Renaming would replace a link and leave its target alone, but nobody put it there for good.
    try refuseLink(name)
    do {
      _ = try system { renameat(descriptor.number, hidden, descriptor.number, name) }
    } catch { throw fault(error, name, "putting it in place") }
  }

  /// Makes a file that nobody else has open.
  private func writeNew(
    _ name: String, _ buffers: [UnsafeRawBufferPointer], durable: Bool
  ) throws(Errno) {
    let file = try createNew(name)
    try file.write(buffers)
    if durable { try file.sync() }
    try file.close()
  }

  /// Opens a new file; one that a killed run left under this name is removed.
  private func createNew(_ name: String) throws(Errno) -> Descriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    do {
      return try Descriptor(below: descriptor.number, name, flags, mode: 0o666)
    } catch {
      guard error.code == EEXIST else { throw error }
      _ = try system { unlinkat(descriptor.number, name, 0) }
      return try Descriptor(below: descriptor.number, name, flags, mode: 0o666)
    }
  }

  /// The fault of a step that failed here; it tells the room that is left when that was too little.
  func fault(_ reason: Errno, _ name: String, _ action: String) -> Fault {
    var fault = reason.fault(path(of: name), action)
    guard [ENOSPC, EDQUOT].contains(reason.code), let space = try? freeSpace() else { return fault }
    let files = space.inodes.map { " and \($0) files" } ?? ""
    fault.facts.append("free here: \(space.bytes) bytes\(files)")
    return fault
  }
}

// MARK: - Waiting for the disk

extension OutputFolder {
  /// Waits until the names in this folder are on the disk.
  package func sync() throws(Fault) {
    do { try descriptor.sync() } catch { throw error.fault(path, "waiting for the disk") }
  }

  /// Waits until a file or folder below this one is on the disk.
  package func sync(_ relative: String) throws(Fault) {
    let (folder, name) = try parent(of: relative)
    do {
      let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
      try Descriptor(below: folder.descriptor.number, name, flags).sync()
    } catch { throw error.fault(path(of: relative), "waiting for the disk") }
  }
}

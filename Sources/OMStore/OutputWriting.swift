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
      try folder.writeNew(hidden, buffers, durable: durable)
      // A rename would replace the link and harm nobody, but a link here is never by accident ours.
      try folder.refuseLink(name)
      try folder.renameHere(hidden, name)
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

  /// Makes a file that nobody else has open.
  private func writeNew(
    _ name: String, _ buffers: [UnsafeRawBufferPointer], durable: Bool
  ) throws(Fault) {
    do {
      let file = try createNew(name)
      try file.write(buffers)
      if durable { try file.sync() }
      try file.close()
    } catch {
      let count = buffers.reduce(0) { $0 + $1.count }
      throw withFreeSpace(error.fault(path(of: name), "writing \(count) bytes"), error)
    }
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

  private func renameHere(_ old: String, _ new: String) throws(Fault) {
    do {
      _ = try system { renameat(descriptor.number, old, descriptor.number, new) }
    } catch { throw withFreeSpace(error.fault(path(of: new), "putting it in place"), error) }
  }

  /// Tells how much room there is when the reason was that there is too little.
  func withFreeSpace(_ fault: Fault, _ reason: Errno) -> Fault {
    guard [ENOSPC, EDQUOT].contains(reason.code), let space = try? freeSpace() else { return fault }
    var fault = fault
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

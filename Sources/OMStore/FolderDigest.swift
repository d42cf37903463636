import Glibc
package import OMJSON

extension OutputFolder {
  /// A digest of names, sizes and times of all files in a folder below this one, whatever their content.
  ///
  /// Left out are hidden folders, the locks of ngio and copies of metadata (`.zmetadata`): these change
  /// without the data. A link stands for itself, not for what it leads to. *Local*.
  ///
  /// - Parameter name: The folder, directly in this one.
  /// - Returns: Hexadecimal digits.
  /// - Throws: What the disk throws.
  package func digest(of name: String) throws(Fault) -> String {
    do {
      let folder = try Descriptor(
        below: descriptor.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      return hexadecimal(try stampDigest(folder, depth: 0))
    } catch { throw fault(error, name, "looking at its files") }
  }
}

/// The digest of a folder: of the stamps of its files and the digests of its folders, by name.
private func stampDigest(_ folder: borrowing Descriptor, depth: Int) throws(Errno) -> [UInt8] {
  // Nothing in an OME-Zarr is as deep as that.
  if depth > 64 { throw Errno(code: ELOOP) }
  var names = try entryNames(folder)
  names.sort { $0.lexicographicallyPrecedes($1) }
  var bytes: [UInt8] = []
  for name in names {
    var status = stat()
    do throws(Errno) {
      let number = folder.number
      _ = try system { fstatat(number, name, &status, AT_SYMLINK_NOFOLLOW) }
    } catch {
      // Another program has just removed it.
      if error.meansAbsent { continue }
      throw error
    }
    let text = name.dropLast().map(UInt8.init(bitPattern:))
    let kind = EntryKind(mode: status.st_mode)
    if isPassedOver(text, kind) { continue }
    bytes += text
    bytes.append(0)
    if kind == .folder {
      bytes += try stampDigest(
        Descriptor(try below(folder.number, name)), depth: depth + 1)
    } else {
      let stamp = ValueStamp(status)
      withUnsafeBytes(of: (stamp.size, stamp.modified)) { bytes += $0 }
    }
  }
  return sha256(bytes)
}

private func below(_ folder: Int32, _ name: [CChar]) throws(Errno) -> Int32 {
  try system { openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
}

private func isPassedOver(_ name: [UInt8], _ kind: EntryKind) -> Bool {
  if kind == .folder {
    return name.first == UInt8(ascii: ".")
      || name.reversed().starts(with: ".ngio-locks".utf8.reversed())
  }
  return name.elementsEqual(".zmetadata".utf8)
}

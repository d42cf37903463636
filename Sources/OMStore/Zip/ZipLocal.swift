import OMJSON

/// The header in front of the bytes of an entry.
struct ZipLocal {
  /// Where the bytes begin.
  let dataStart: Int
  /// Whether sizes are written in the ZIP64 form.
  let isWide: Bool
  /// Extra fields that RFC-9 does not know.
  let foreignExtras: Int

  /// Reads it.
  ///
  /// Only where the bytes begin is taken from it: lengths of name and extra fields differ from those in the
  /// directory. Other readers go by it for more, so it must not contradict the directory.
  ///
  /// - Parameters:
  ///   - archive: The whole archive.
  ///   - entry: What the directory says.
  ///   - name: Its name there.
  ///   - limit: Where the directory begins.
  ///   - readsExtras: Whether to look at its extra fields, for whoever checks the archive.
  /// - Throws: `zip` when it is none, or the one of something else.
  init(
    _ archive: OpenedValue, _ entry: ZipEntry, name: ArraySlice<UInt8>, limit: Int,
    readsExtras: Bool = false
  ) throws(Fault) {
    let key = String(decoding: name, as: UTF8.self)
    let fixed = ZipFormat.Local.byteCount
    let header: [UInt8]
    do {
      header = try archive.bytes(at: entry.header, count: fixed + name.count)
    } catch {
      var fault = error
      fault.subject = key
      throw fault
    }
    guard header.zip32(0) == ZipFormat.Local.signature else {
      throw Fault(
        .zip, key, "there is no local header at \(entry.header), where the directory says",
        hint: "copy the archive again, it is damaged")
    }
    guard header.zip16(26) == name.count, header[fixed...].elementsEqual(name),
      header.zip16(8) == Int(entry.method.rawValue),
      header.zip16(6) & ZipFormat.encryptionFlags == 0
    else {
      throw Fault(
        .zip, key, "its local header tells another name or method than the directory",
        hint: "do not trust this archive; other programs may read something else in it")
    }
    let extraCount = header.zip16(28)
    dataStart = entry.header + fixed + name.count + extraCount
    guard dataStart <= limit, entry.stored <= limit - dataStart else {
      throw Fault(
        .zip, key, "its \(entry.stored) bytes at \(dataStart) reach into the directory at \(limit)",
        hint: "copy the archive again, it is damaged")
    }
    var (isWide, foreign) = (false, 0)
    if readsExtras {
      let extras = try archive.bytes(at: dataStart - extraCount, count: extraCount)
      var here = 0
      while here + 4 <= extras.count {
        let kind = extras.zip16(here)
        if kind == ZipFormat.zip64 { isWide = true }
        if !ZipFormat.knownExtras.contains(kind) { foreign += 1 }
        here += 4 + extras.zip16(here + 2)
      }
    }
    (self.isWide, foreignExtras) = (isWide, foreign)
  }
}

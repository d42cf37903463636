import Glibc

/// The names in an open folder, without `.` and `..`, as the bytes the file system holds.
func entryNames(_ folder: consuming Descriptor) throws(Errno) -> [[CChar]] {
  let number = folder.release()
  guard let stream = fdopendir(number) else {
    let code = errno
    _ = close(number)
    throw Errno(code: code)
  }
  defer { closedir(stream) }
  var names: [[CChar]] = []
  while true {
    // The end and an error both give nil; only an error sets errno.
    errno = 0
    guard let entry = readdir(stream) else {
      if errno == 0 { return names }
      throw Errno(code: errno)
    }
    let name = cName(of: entry)
    if strcmp(name, ".") != 0, strcmp(name, "..") != 0 {
      names.append(Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1)))
    }
  }
}

/// Names as keys in a fixed order; what is not UTF-8 is no key and is left out.
func sortedKeys(_ names: [[CChar]]) -> [String] {
  names.compactMap { String(validating: $0.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }
    .sorted()
}

/// The name of an entry in place; importing the field would copy its 256 bytes.
private func cName(of entry: UnsafeMutablePointer<dirent>) -> UnsafePointer<CChar> {
  let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
  return (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
}

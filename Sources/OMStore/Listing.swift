import CSys
import Glibc

/// The names in a folder that was just opened, without `.` and `..`, as the bytes the file system
/// holds.
///
/// `readdir` would ask the kernel for three things more per folder; there may be thousands.
func entryNames(_ folder: borrowing Descriptor) throws(Errno) -> [[CChar]] {
  let number = folder.number
  var names: [[CChar]] = []
  var failure: Errno?
  withUnsafeTemporaryAllocation(byteCount: 32 << 10, alignment: 8) { buffer in
    do throws(Errno) {
      while true {
        let count = try system { om_read_entries(number, buffer.baseAddress, buffer.count) }
        if count == 0 { return }
        names += entryNames(in: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    } catch { failure = error }
  }
  if let failure { throw failure }
  return names
}

/// The names among the kernel's entries: `linux_dirent64`, each as long as it says.
private func entryNames(in entries: UnsafeRawBufferPointer) -> [[CChar]] {
  let (lengthOffset, nameOffset) = (16, 19)
  var names: [[CChar]] = []
  var start = 0
  while start + nameOffset < entries.count {
    let length = Int(
      entries.loadUnaligned(fromByteOffset: start + lengthOffset, as: UInt16.self))
    let end = start + length
    guard length > nameOffset, end <= entries.count else { return names }
    let name = entries[start + nameOffset..<end].prefix { $0 != 0 }
    if !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8) {
      names.append(name.map { CChar(bitPattern: $0) } + [0])
    }
    start = end
  }
  return names
}

/// Names as keys in a fixed order; what is not UTF-8 is no key and is left out.
func sortedKeys(_ names: [[CChar]]) -> [String] {
  names.compactMap { String(validating: $0.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }
    .sorted()
}

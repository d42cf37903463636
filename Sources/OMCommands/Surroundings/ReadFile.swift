import Glibc
import OMJSON

/// The largest file that a flag may name: 16 MiB, as for metadata.
private let maximumBytes = 16 << 20

/// Reads a whole small file.
///
/// - Throws: A fault that names the file: `missing`, `permission`, `limit` or `io`.
func readFile(_ path: String) throws(Fault) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  if descriptor < 0 { throw openFault(path, errno) }
  defer { close(descriptor) }
  return try readAll(descriptor, name: path)
}

/// Reads the standard input to its end.
///
/// - Throws: A fault of kind `limit` or `io`.
func readStandardInput() throws(Fault) -> [UInt8] {
  try readAll(0, name: "standard input")
}

/// Reads a descriptor to its end.
private func readAll(_ descriptor: Int32, name: String) throws(Fault) -> [UInt8] {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  while true {
    let count = read(descriptor, &buffer, buffer.count)
    if count == 0 { return bytes }
    if count > 0 {
      bytes += buffer[..<count]
    } else if errno != EINTR {
      throw Fault(.io, name, "cannot be read: \(systemMessage(errno))")
    }
    if bytes.count > maximumBytes {
      throw Fault(.limit, name, "holds more than \(byteText(maximumBytes))")
    }
  }
}

/// What it means that a file could not be opened.
private func openFault(_ path: String, _ number: Int32) -> Fault {
  switch number {
  case ENOENT, ENOTDIR: Fault(.missing, path, "there is no such file")
  case EACCES, EPERM: Fault(.permission, path, "may not be read")
  default: Fault(.io, path, "cannot be opened: \(systemMessage(number))")
  }
}

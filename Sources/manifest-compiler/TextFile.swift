import Glibc
import OMJSON

/// The text of a whole file.
///
/// - Throws: A fault of kind `manifest` when it cannot be read.
func readText(_ path: String) throws(Fault) -> String {
  guard let file = fopen(path, "r") else { throw unusable(path) }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { break }
    bytes += buffer[..<count]
  }
  guard ferror(file) == 0, let text = String(validating: bytes, as: UTF8.self) else {
    throw unusable(path)
  }
  return text
}

/// Replaces a file by a text.
///
/// - Throws: A fault of kind `io` when it cannot be written.
func writeText(_ text: String, to path: String) throws(Fault) {
  guard let file = fopen(path, "w") else { throw unusable(path, .io) }
  let isWritten = fputs(text, file) >= 0
  if fclose(file) != 0 || !isWritten { throw unusable(path, .io) }
}

private func unusable(_ path: String, _ kind: FaultKind = .manifest) -> Fault {
  Fault(kind, path, errno == 0 ? "not a text in UTF-8" : String(cString: strerror(errno)))
}

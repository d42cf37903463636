import Glibc
import OMJSON

/// The folder of a file as a path that holds wherever a child looks from.
func programFolder(of file: String) -> String {
  let parts = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
  let folder = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
  guard let path = realpath(folder, nil) else { return folder }
  defer { free(path) }
  return String(cString: path)
}

/// A digest of what decides the results of a program besides parameters and images.
///
/// - Parameters:
///   - declaration: What the manifest says of it.
///   - words: Its command; words that name files in the folder stand for their content.
///   - folder: The folder of the manifest. When it is a Python package, all its sources count.
/// - Returns: 16 hexadecimal digits.
func programFingerprint(_ declaration: JSON?, words: [String], folder: String) -> String {
  var bytes = declaration?.bytes() ?? []
  for word in words where !word.hasPrefix("/") {
    bytes += Array("\n\(word)\n".utf8)
    bytes += fileDigest("\(folder)/\(word)")
  }
  if access("\(folder)/__init__.py", F_OK) == 0 {
    for file in pythonSources(folder, depth: 0) {
      bytes += Array("\n\(file)\n".utf8)
      bytes += fileDigest("\(folder)/\(file)")
    }
  }
  return String(hexadecimal(sha256(bytes)).prefix(16))
}

/// The Python files of a package, those of packages in it too.
private func pythonSources(_ folder: String, depth: Int) -> [String] {
  guard depth < 8, let entries = opendir(folder) else { return [] }
  defer { closedir(entries) }
  var names: [String] = []
  while let entry = readdir(entries) {
    names.append(
      withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      })
  }
  return names.sorted().flatMap { name -> [String] in
    if name.hasSuffix(".py") { return [name] }
    let isPackage = access("\(folder)/\(name)/__init__.py", F_OK) == 0
    if name.hasPrefix(".") || !isPackage { return [] }
    return pythonSources("\(folder)/\(name)", depth: depth + 1).map { "\(name)/\($0)" }
  }
}

/// A digest of the content of a file of any size; empty when it is no file or cannot be read.
private func fileDigest(_ path: String) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  if descriptor < 0 { return [] }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
  var digests: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    var filled = 0
    while filled < buffer.count {
      let count = buffer.withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled)
      }
      if count < 0 { return [] }
      if count == 0 { break }
      filled += count
    }
    digests += sha256(Array(buffer[..<filled]))
    if filled < buffer.count { return sha256(digests) }
  }
}

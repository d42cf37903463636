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
    if let content = fileContents("\(folder)/\(word)") { bytes += sha256(content) }
  }
  if access("\(folder)/__init__.py", F_OK) == 0 {
    for file in pythonSources(folder, depth: 0) {
      bytes += Array("\n\(file)\n".utf8)
      if let content = fileContents("\(folder)/\(file)") { bytes += sha256(content) }
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

/// The content of a file; nil when it cannot be read.
private func fileContents(_ path: String) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  if descriptor < 0 { return nil }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  while bytes.count < 16 << 20 {
    let count = read(descriptor, &buffer, buffer.count)
    if count <= 0 { return count == 0 ? bytes : nil }
    bytes += buffer[..<count]
  }
  return bytes
}

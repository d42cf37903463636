import Glibc
import OMJSON
import OMStore

/// A file for other programs that is there whole or not at all.
struct ResultFile: Sendable {
  private let folder: OutputFolder
  private let name: String

  /// Makes sure that the file can be written, before any work is done for it.
  ///
  /// - Parameters:
  ///   - path: The file; its folder must exist.
  ///   - flag: The flag that asked for it, for messages.
  /// - Throws: A fault that names the folder: `missing`, `permission` or `io`.
  init(path: String, flag: String) throws(Fault) {
    let slash = path.lastIndex(of: "/")
    name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let parent = slash.map { path[...$0] == "/" ? "/" : String(path[..<$0]) } ?? "."
    if name.isEmpty {
      throw Fault(.usage, "", "`--\(flag)` is given `\(path)`, which names no file")
    }
    if let kind = try OutputFolder(path: parent).kind(of: name), kind != .file {
      throw Fault(
        .usage, path, "`--\(flag)` names \(kind.rawValue), it needs a file",
        hint: "give a new name, or that of an earlier file")
    }
    folder = try OutputFolder(path: parent)
    if access(parent, W_OK | X_OK) != 0 {
      throw Fault(
        .permission, path, "cannot be written: \(systemMessage(errno))",
        hint: "`--\(flag)` needs a file in a folder that may be written")
    }
  }

  /// Writes the bytes under a temporary name and renames it, so that a file of an earlier run is
  /// replaced at once.
  func write(_ bytes: [UInt8]) throws(Fault) {
    try folder.write(name, bytes, durable: true)
  }

  /// Writes a JSON document.
  func write(_ document: JSON) throws(Fault) {
    try write(document.bytes(indent: 2) + [UInt8(ascii: "\n")])
  }
}

import Glibc
import OMStore
import Testing

/// A folder of one test, removed with it.
final class ImageFolder: Sendable {
  let path: String

  init() {
    let template = strdup("/tmp/omrun-XXXXXX")
    defer { free(template) }
    guard let template, mkdtemp(template) != nil else {
      preconditionFailure("no temporary folder could be made")
    }
    path = String(cString: template)
  }

  deinit { try? OutputFolder(path: "/tmp").removeTree(String(path.dropFirst("/tmp/".count))) }

  /// The folder opened for writing.
  func output() throws -> OutputFolder { try OutputFolder(path: path) }

  /// Puts a text there, in place if there is one already.
  func put(_ key: String, _ text: String) {
    var here = path
    for part in key.split(separator: "/").dropLast() {
      here += "/" + part
      mkdir(here, 0o755)
    }
    let file = open(path + "/" + key, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    #expect(text.withCString { write(file, $0, strlen($0)) } == text.utf8.count)
    close(file)
  }

  /// Puts a text in place of another by a rename.
  func replace(_ key: String, _ text: String) {
    put(key + ".theirs", text)
    #expect(rename(path + "/" + key + ".theirs", path + "/" + key) == 0)
  }

  /// The text of a file, empty when there is none.
  func text(_ key: String) -> String {
    String(decoding: (try? output().read(key, limit: 1 << 20)) ?? [], as: UTF8.self)
  }
}

import Glibc
import OMStore
import Testing

/// A folder of one test, removed with it.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    let template = strdup("/tmp/omstore-XXXXXX")
    defer { free(template) }
    guard let template, mkdtemp(template) != nil else {
      preconditionFailure("no temporary folder could be made")
    }
    path = String(cString: template)
  }

  deinit {
    try? OutputFolder(path: "/tmp").removeTree(String(path.dropFirst("/tmp/".count)))
  }

  /// The folder opened for writing.
  func output() throws -> OutputFolder { try OutputFolder(path: path) }

  /// Puts a file there by the plainest of means, folders on the way included.
  func put(_ key: String, _ bytes: [UInt8]) {
    makeParents(of: key)
    let file = open(path + "/" + key, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    #expect(write(file, bytes, bytes.count) == bytes.count)
    close(file)
  }

  /// Makes a link whose target is not looked at.
  func link(_ key: String, to target: String) {
    makeParents(of: key)
    #expect(symlink(target, path + "/" + key) == 0)
  }

  /// The mode of something without its type, as `0o755`.
  func mode(_ key: String) -> mode_t { status(key).st_mode & 0o7777 }

  /// The number of the file on its disk.
  func inode(_ key: String) -> UInt { UInt(status(key).st_ino) }

  private func status(_ key: String) -> stat {
    var result = stat()
    #expect(lstat(path + "/" + key, &result) == 0)
    return result
  }

  private func makeParents(of key: String) {
    var here = path
    for part in key.split(separator: "/").dropLast() {
      here += "/" + part
      mkdir(here, 0o755)
    }
  }
}

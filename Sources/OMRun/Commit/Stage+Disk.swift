import OMImage
import OMJSON
import OMStore

// Waiting until what is staged is on the disk (`--durability`).

extension Stage {
  /// Waits until the folders of label images and of their levels are on the disk.
  func syncFolders(_ labels: [String]) throws(Fault) {
    for label in labels {
      for entry in try below(label).list() {
        if try below(label).kind(of: entry) == .folder { try below(joinedKey(label, entry)).sync() }
      }
      try below(label).sync()
    }
    try out().sync()
  }

  /// Waits until the names in a folder below a level are on the disk.
  func sync(folder: String, label: String, level: String) throws(Fault) {
    let base = try below("\(label)/\(level)")
    if folder.isEmpty { try base.sync() } else { try base.folder(folder).sync() }
  }

  /// Size and CRC-32C of a staged file; nil when it cannot be read.
  func checksum(_ key: String, label: String, level: String) -> (size: Int, checksum: UInt32)? {
    guard let folder = try? below("\(label)/\(level)"), let file = try? folder.open(key) else {
      return nil
    }
    return file.checksum().map { (file.size, $0) }
  }
}

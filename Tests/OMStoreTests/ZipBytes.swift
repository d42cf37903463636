@testable import OMStore

/// An archive with one thing wrong, or as other writers make them.
struct ZipBytes {
  /// An entry; every number can be another one than it should be.
  struct Entry {
    var name: String
    var content: [UInt8] = [1, 2, 3]
    var method = 0
    var flags = 0
    /// In the directory and in the local header; nil for the right one.
    var crc: UInt32?
    var size: Int?
    var stored: Int?
    /// Where the directory says it begins; nil for the right place.
    var place: Int?
    var madeBy = 3 << 8 | 20
    var mode = 0o100644
    var disk = 0
    var extra: [UInt8] = []
    /// The name in front of the bytes; nil for the same.
    var localName: String?
  }

  var entries: [Entry]
  var comment = ""
  /// Changes of the end record.
  var count: Int?
  var directoryStart: Int?
  var directorySize: Int?
  var disk = 0
  var front: [UInt8] = []

  init(_ entries: [Entry]) { self.entries = entries }

  /// Entries of three bytes each.
  init(_ names: String...) { entries = names.map { Entry(name: $0) } }

  var bytes: [UInt8] {
    var body = front
    var directory: [UInt8] = []
    for entry in entries {
      let place = entry.place ?? body.count
      let name = Array(entry.name.utf8)
      let local = Array((entry.localName ?? entry.name).utf8)
      body.append(zip: ZipFormat.Local.signature, bytes: 4)
      appendFacts(of: entry, name: local.count, extra: 0, to: &body)
      body += local + entry.content
      directory.append(zip: ZipFormat.Central.signature, bytes: 4)
      directory.append(zip: entry.madeBy, bytes: 2)
      appendFacts(of: entry, name: name.count, extra: entry.extra.count, to: &directory)
      directory.append(zip: 0, bytes: 2)
      directory.append(zip: entry.disk, bytes: 2)
      directory.append(zip: 0, bytes: 2)
      directory.append(zip: entry.mode << 16, bytes: 4)
      directory.append(zip: place, bytes: 4)
      directory += name + entry.extra
    }
    let start = directoryStart ?? body.count
    body += directory
    body.append(zip: ZipFormat.End.signature, bytes: 4)
    body.append(zip: disk, bytes: 2)
    body.append(zip: disk, bytes: 2)
    body.append(zip: count ?? entries.count, bytes: 2)
    body.append(zip: count ?? entries.count, bytes: 2)
    body.append(zip: directorySize ?? directory.count, bytes: 4)
    body.append(zip: start, bytes: 4)
    body.append(zip: comment.utf8.count, bytes: 2)
    return body + Array(comment.utf8)
  }

  private func appendFacts(
    of entry: Entry, name: Int, extra: Int, to bytes: inout [UInt8]
  ) {
    let crc = entry.content.withUnsafeBytes { zipChecksum(0, $0) }
    bytes.append(zip: 20, bytes: 2)
    bytes.append(zip: entry.flags, bytes: 2)
    bytes.append(zip: entry.method, bytes: 2)
    bytes.append(zip: 0, bytes: 4)
    bytes.append(zip: Int(entry.crc ?? crc), bytes: 4)
    bytes.append(zip: entry.stored ?? entry.content.count, bytes: 4)
    bytes.append(zip: entry.size ?? entry.content.count, bytes: 4)
    bytes.append(zip: name, bytes: 2)
    bytes.append(zip: extra, bytes: 2)
  }

  /// The archive as a store.
  func store(_ name: String = "a.zip") throws -> ZipStore {
    try ZipStore(
      root: name, OpenedValue(key: name, bytes: bytes), ValueStamp(size: bytes.count, modified: 0))
  }
}

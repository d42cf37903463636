import OMJSON
import OMStore

/// What `omtask info` tells about the archive that something lies in.
struct ArchiveFacts {
  private let archive: ZipStore

  /// Nil for what lies in a folder.
  init?(_ store: (any Store)?) {
    guard let archive = store as? ZipStore else { return nil }
    self.archive = archive
  }

  /// One line for a person.
  var line: String {
    let deflated = archive.deflatedCount
    let facts = [
      counted(archive.count, "entry", "entries"), byteText(archive.byteCount),
      deflated == 0 ? "stored" : "\(grouped(deflated)) of them deflated",
    ]
    return (facts + (archive.isJSONFirst ? ["metadata first"] : [])).joined(separator: ", ")
  }

  /// What RFC-9 wants otherwise.
  var remarks: [String] { archive.remarks.map(\.text) }

  /// The same for a program.
  var json: JSON {
    [
      "path": .string(archive.root), "entries": JSON(archive.count),
      "bytes": JSON(archive.byteCount), "deflated": JSON(archive.deflatedCount),
      "version": archive.version.map { .string($0) } ?? .null,
      "json_first": .bool(archive.isJSONFirst),
      "notes": .array(remarks.map(JSON.string)),
    ]
  }
}

import OMImage
import OMJSON
import OMStore
import OMZarr
import Synchronization

/// The hidden folder in which results grow: `<holder>/<folder>/<run id>/out/<label>/<level>/…`.
///
/// Faults name whole paths. Chunks are written under a temporary name and renamed.
final class Stage: Sendable {
  /// The folder that holds the stage and, later, the results.
  let holder: OutputFolder
  /// The name of the folder of all stages in it.
  let folder: String
  private let runID: String
  private let writer: String
  /// The folders that were opened, by their paths below `out`; `out` itself has the empty path.
  private let opened = Mutex<[String: OutputFolder]>([:])
  private let written = Mutex(0)

  init(holder: OutputFolder, folder: String, runID: String, rank: Int) {
    self.holder = holder
    self.folder = folder
    self.runID = runID
    writer = String(rank)
  }

  private var path: String { "\(folder)/\(runID)" }

  /// The folder that holds the staged label images.
  func out() throws(Fault) -> OutputFolder { try below("") }

  /// Makes the folder anew; what a killed run of the same id left is removed.
  func make(_ record: JSON) throws(Fault) {
    let stages = try holder.makeFolder(folder)
    try stages.removeTree(runID)
    let stage = try stages.makeFolder(runID)
    try stage.write("run.json", record.bytes(indent: 2))
    let out = try stage.makeFolder("out")
    opened.withLock { $0 = ["": out] }
  }

  /// Bytes that were published through this stage.
  var bytesWritten: Int { written.withLock { $0 } }

  /// Writes a file below a level of a label image.
  func write(
    _ key: String, label: String, level: String, _ bytes: UnsafeRawBufferPointer
  ) throws(Fault) {
    try below("\(label)/\(level)").write(key, [bytes], writer: writer)
    written.withLock { $0 += bytes.count }
  }

  /// Writes a document below a label image.
  func write(_ document: MetadataDocument, label: String) throws(Fault) {
    let key = joinedKey(label, document.key)
    let slash = key.lastIndex(of: "/") ?? key.startIndex
    let name = key[slash...].drop { $0 == "/" }
    try below(String(key[..<slash])).writeUnseen(String(name), document.bytes, writer: writer)
  }

  /// Opens the staged array of a level.
  func array(label: String, level: String, layout: ArrayLayout) throws(Fault) -> ZarrArray {
    let folder = try below("\(label)/\(level)")
    for (name, document) in layout.documents(attributes: [:]) {
      try folder.writeUnseen(name, document.bytes(indent: 2), writer: writer)
    }
    return try ZarrArray.open(try FileStore(root: folder.path), path: "")
  }

  /// Removes the stage, and the folder of all stages when nothing else is in it.
  func remove() throws(Fault) {
    opened.withLock { $0 = [:] }
    // By name first: a folder with nothing else in it need not be listed.
    for name in ["/out", "/run.json", ""] { try holder.removeTree(path + name) }
    try holder.removeIfEmpty(folder)
  }

  /// A folder below `out`, made where it does not exist, and kept open with those above it.
  private func below(_ key: String) throws(Fault) -> OutputFolder {
    if let known = opened.withLock({ $0[key] }) { return known }
    let fresh: OutputFolder
    if key.isEmpty {
      fresh = try holder.makeFolder("\(path)/out")
    } else {
      let slash = key.lastIndex(of: "/")
      let parent = try below(slash.map { String(key[..<$0]) } ?? "")
      fresh = try parent.makeFolder(String(slash.map { key[key.index(after: $0)...] } ?? key[...]))
    }
    opened.withLock { $0[key] = fresh }
    return fresh
  }
}

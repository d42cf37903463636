import OMJSON
import OMStore
import OMZarr
import Synchronization

/// The hidden folder in which results grow: `<holder>/<folder>/<run id>/out/<label>/<level>/…`.
///
/// Faults name whole paths; every file is written under a temporary name and renamed.
final class Stage: Sendable {
  /// The folder that holds the stage and, later, the results.
  let holder: OutputFolder
  /// The name of the folder of all stages in it.
  let folder: String
  private let runID: String
  private let writer: String
  private let levels = Mutex<[String: OutputFolder]>([:])
  private let written = Mutex(0)

  init(holder: OutputFolder, folder: String, runID: String, rank: Int) {
    self.holder = holder
    self.folder = folder
    self.runID = runID
    writer = String(rank)
  }

  private var path: String { "\(folder)/\(runID)" }

  /// The path of a staged label image, below the holder.
  func path(of label: String) -> String { "\(path)/out/\(label)" }

  /// Makes the folder anew; what a killed run of the same id left is removed.
  func make(_ record: JSON) throws(Fault) {
    try remove()
    let stage = try holder.makeFolder(path)
    try stage.write("run.json", record.bytes(indent: 2))
    _ = try stage.makeFolder("out")
  }

  /// Bytes that were published through this stage.
  var bytesWritten: Int { written.withLock { $0 } }

  /// Writes a file below a level of a label image.
  func write(
    _ key: String, label: String, level: String, _ bytes: UnsafeRawBufferPointer
  ) throws(Fault) {
    try levelFolder(label, level).write(key, [bytes], writer: writer)
    written.withLock { $0 += bytes.count }
  }

  /// Writes a document below a label image.
  func write(_ key: String, label: String, _ document: JSON) throws(Fault) {
    try holder.makeFolder(path(of: label)).write(key, document.bytes(indent: 2), writer: writer)
  }

  /// Opens the staged array of a level.
  func array(label: String, level: String, layout: ArrayLayout) throws(Fault) -> ZarrArray {
    let folder = try levelFolder(label, level)
    for (name, document) in layout.documents(attributes: [:]) {
      try folder.write(name, document.bytes(indent: 2), writer: writer)
    }
    let store = try FileStore(root: "\(holder.path)/\(path(of: label))/\(level)")
    return try ZarrArray.open(store, path: "")
  }

  /// Removes the stage, and the folder of all stages when nothing else is in it.
  func remove() throws(Fault) {
    levels.withLock { $0 = [:] }
    guard try holder.kind(of: path) != nil else { return }
    try holder.removeTree(path)
    if try holder.folder(folder).list().isEmpty { try holder.removeTree(folder) }
  }

  private func levelFolder(_ label: String, _ level: String) throws(Fault) -> OutputFolder {
    let name = "\(label)/\(level)"
    if let known = levels.withLock({ $0[name] }) { return known }
    let fresh = try holder.makeFolder("\(path(of: label))/\(level)")
    levels.withLock { $0[name] = fresh }
    return fresh
  }
}

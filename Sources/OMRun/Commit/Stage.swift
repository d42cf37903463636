import OMImage
import OMJSON
import OMStore
import OMZarr
import Synchronization

/// The hidden folder in which results grow: `<holder>/<folder>/<run id>/out/<label>/<level>/…`.
///
/// Beside `out` it holds the lock of the run, `run.json`, and the journals of all invocations. Faults
/// name whole paths. Chunks are written under a temporary name and renamed.
final class Stage: Sendable {
  /// The folder that holds the stage and, later, the results.
  let holder: OutputFolder
  /// The name of the folder of all stages in it.
  let folder: String
  let runID: String
  /// What waits for the disk.
  let durability: Durability
  /// The rank that writes.
  let rank: Int

  private struct State {
    /// The stage itself.
    var root: OutputFolder?
    /// Whether it may hold more than `out` and the record of the run.
    var holdsMore = false
    /// The folders that were opened, by their paths below `out`; `out` itself has the empty path.
    var opened: [String: OutputFolder] = [:]
    var written = 0
    var writer = "0"
    var lock: FileLock?
  }
  private let state = Mutex(State())

  /// Names a stage; nothing is made yet.
  ///
  /// - Parameters:
  ///   - holder: The folder that holds the stages and, later, the results.
  ///   - folder: The name of the folder of all stages.
  ///   - runID: The run.
  ///   - rank: The rank that writes.
  ///   - durability: What waits for the disk.
  init(
    holder: OutputFolder, folder: String, runID: String, rank: Int, durability: Durability
  ) {
    self.holder = holder
    self.folder = folder
    self.runID = runID
    self.rank = rank
    self.durability = durability
  }

  /// The stage below the holder.
  private var key: String { "\(folder)/\(runID)" }

  /// The whole path of the stage.
  var path: String { joinedKey(holder.path, key) }

  /// The folder of the stage itself.
  func root() throws(Fault) -> OutputFolder {
    if let known = state.withLock({ $0.root }) { return known }
    let root = try holder.folder(key)
    state.withLock { $0.root = root }
    return root
  }

  /// Remembers the folder of the stage.
  func open(_ root: OutputFolder) { state.withLock { $0.root = root } }

  /// Tells that there may be more in the stage than `out` and the record of the run.
  func expectMore() { state.withLock { $0.holdsMore = true } }

  /// Whether there may be more in the stage than `out` and the record of the run.
  var holdsMore: Bool { state.withLock { $0.holdsMore } }

  /// The folder that holds the staged label images.
  func out() throws(Fault) -> OutputFolder { try below("") }

  /// Bytes that were published through this stage.
  var bytesWritten: Int { state.withLock { $0.written } }

  /// Tells which invocation of the run writes; no two of them use the same temporary names.
  func begin(invocation: Int) {
    state.withLock { $0.writer = "\(invocation).\(rank)" }
  }

  private var writer: String { state.withLock { $0.writer } }

  /// Remembers the lock of the run.
  func take(_ lock: FileLock) { state.withLock { $0.lock = lock } }

  /// Gives the lock of the run back and keeps that of a part instead.
  func exchangeLock(for part: FileLock) {
    let lock = state.withLock { state in
      defer { state.lock = part }
      return state.lock
    }
    lock?.release()
  }

  /// Gives the lock of the run, or of a part, back, if this rank holds it.
  func unlock() {
    let lock = state.withLock { state in
      defer { state.lock = nil }
      return state.lock
    }
    lock?.release()
  }

  /// Whether the lock is still this process's.
  var isLocked: Bool { state.withLock { $0.lock?.isHeld() ?? false } }
}

// MARK: - The same on all machines

extension Stage {
  /// What no other stage has: who holds the lock, and since when; empty where that cannot be read.
  var mark: [UInt8] { (try? root().read(Stage.lockName, limit: 1 << 20)) ?? [] }

  /// Refuses to work where this path leads to another stage than on rank 0.
  ///
  /// The file system is not mounted here then, or another one has its place: what was written would be lost.
  ///
  /// - Parameters:
  ///   - mark: The mark of the stage on rank 0.
  ///   - patience: Seconds; file servers show new names late.
  /// - Throws: A fault of kind `missing`.
  func checkSame(_ mark: [UInt8], patience: Double) throws(Fault) {
    let wait = LockWait(patience)
    while true {
      state.withLock { $0.root = nil }
      if mark.isEmpty || self.mark == mark, (try? root()) != nil { return }
      if wait.isOver { break }
      wait.pause()
    }
    throw Fault(.missing, path, "rank 0 has made this folder, but it is not there")
  }
}

// MARK: - Writing and reading

extension Stage {
  /// Writes a file below a level of a label image.
  func write(
    _ key: String, label: String, level: String, _ bytes: UnsafeRawBufferPointer
  ) throws(Fault) {
    try below("\(label)/\(level)").write(
      key, [bytes], writer: writer, durable: durability == .shard)
    state.withLock { $0.written += bytes.count }
  }

  /// Writes a file below a table, and waits for the disk where that is asked for.
  func write(file key: String, label: String, _ bytes: [UInt8]) throws(Fault) {
    let path = joinedKey(label, key)
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let (folder, name) = (
      try below(String(path[..<slash])), String(path[path.index(after: slash)...])
    )
    var fault: Fault?
    bytes.withUnsafeBytes { raw in
      do throws(Fault) {
        try folder.write(name, [raw], writer: writer, durable: durability != .none)
      } catch { fault = error }
    }
    if let fault { throw fault }
    state.withLock { $0.written += bytes.count }
  }

  /// Writes a document below a label image.
  func write(_ document: MetadataDocument, label: String) throws(Fault) {
    let (folder, name) = try place(of: document, label: label)
    try folder.writeUnseen(name, document.bytes, writer: writer)
  }

  /// Waits until a document below a label image is on the disk.
  func sync(_ document: MetadataDocument, label: String) throws(Fault) {
    let (folder, name) = try place(of: document, label: label)
    try folder.sync(name)
  }

  private func place(
    of document: MetadataDocument, label: String
  ) throws(Fault) -> (folder: OutputFolder, name: String) {
    let key = joinedKey(label, document.key)
    let slash = key.lastIndex(of: "/") ?? key.startIndex
    return (try below(String(key[..<slash])), String(key[slash...].drop { $0 == "/" }))
  }

  /// Opens the staged array of a level.
  func array(label: String, level: String, layout: ArrayLayout) throws(Fault) -> ZarrArray {
    let folder = try below("\(label)/\(level)")
    for (name, document) in layout.documents(attributes: [:]) {
      try folder.writeUnseen(name, document.bytes(indent: 2), writer: writer)
    }
    return try ZarrArray.open(try FileStore(root: folder.path), path: "")
  }

  /// Reads a part of a file directly in the stage.
  ///
  /// - Throws: A fault when there is no such part.
  func read(_ name: String, at offset: Int, count: Int) throws(Fault) -> [UInt8] {
    guard let value = try root().open(name), count <= value.size else {
      throw Fault(.missing, "\(path)/\(name)", "has no \(count) bytes at \(offset)")
    }
    return try value.bytes(at: offset, count: count)
  }

  /// A folder below `out`, made where it does not exist, and kept open with those above it.
  func below(_ key: String) throws(Fault) -> OutputFolder {
    if let known = state.withLock({ $0.opened[key] }) { return known }
    let fresh: OutputFolder
    if key.isEmpty {
      fresh = try root().makeFolder("out")
    } else {
      let slash = key.lastIndex(of: "/")
      let parent = try below(slash.map { String(key[..<$0]) } ?? "")
      fresh = try parent.makeFolder(String(slash.map { key[key.index(after: $0)...] } ?? key[...]))
    }
    state.withLock { $0.opened[key] = fresh }
    return fresh
  }

  /// Forgets the folders that were opened below `out`.
  func closeFolders() { state.withLock { $0.opened = [:] } }
}

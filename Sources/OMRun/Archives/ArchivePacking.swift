package import OMImage
package import OMJSON
import OMStore

/// Packs a hierarchy into an archive (`omtask pack`).
package struct ArchivePacking: Sendable {
  private let work: SeparateWork
  private let overwrites: Bool

  /// Makes a packer.
  ///
  /// - Parameters:
  ///   - work: How it works.
  ///   - overwrites: Whether an archive of this name is replaced.
  package init(_ work: SeparateWork, overwrites: Bool) {
    self.work = work
    self.overwrites = overwrites
  }

  /// What came of it.
  package struct Report: Sendable {
    /// Entries of the archive.
    package let entries: Int
    /// Its bytes.
    package let bytes: Int
    /// Keys that were left out: hidden files and what desktops leave.
    package let leftOut: [String]
    /// Arrays without shards, which are many small entries.
    package let unsharded: Int
  }

  /// Packs a hierarchy; the archive appears whole or not at all.
  ///
  /// - Parameters:
  ///   - source: The root of the hierarchy: a folder, or an archive that is packed anew.
  ///   - path: The new archive.
  /// - Returns: What it holds.
  /// - Throws: `exists`, `path` or `usage` for the archive, `unsupported`, `metadata` or `locked` for the
  ///   hierarchy, and what reading and writing throw.
  package func pack(_ source: ImageLocation, to path: String) throws(Fault) -> Report {
    let output = try SeparatePath(path, called: "the archive")
    if !output.isArchive {
      throw Fault(
        .usage, path, "RFC-9 wants archives to be called .ozx",
        hint: "`omtask pack \(source.displayName) \(ArchivePacking.stem(output.name)).ozx`")
    }
    try OutputRules.checkApart(output, source)
    let rules = work.lockRules
    let file = NewFile(output: output, overwrites: overwrites, rules: rules)
    return try file.make { (name, workshop) throws(Fault) in
      let content = try ArchiveContent(source)
      let bytes = try content.write(
        name, in: workshop, threads: work.threads, isDurable: true, check: rules.check)
      try content.checkUnchanged()
      return Report(
        entries: content.items.count, bytes: bytes, leftOut: content.leftOut,
        unsharded: content.unsharded)
    }
  }

  private static func stem(_ name: String) -> String {
    for ending in [".ome.zarr", ".zarr", ".zip"] where name.hasSuffix(ending) {
      return String(name.dropLast(ending.count))
    }
    return name
  }
}

extension ArchiveContent {
  /// Writes the archive under a name that nobody looks at.
  ///
  /// - Parameters:
  ///   - name: The name.
  ///   - folder: Where.
  ///   - threads: Worker threads.
  ///   - isDurable: Whether to wait until it is on the disk.
  ///   - check: Ends the work by throwing.
  /// - Returns: Its bytes.
  /// - Throws: What `check`, reading and writing throw; `io` when the disk has too little room.
  func write(
    _ name: String, in folder: OutputFolder, threads: Int, isDurable: Bool,
    check: @Sendable () throws(Fault) -> Void
  ) throws(Fault) -> Int {
    let limit = Limits.current.zipEntries
    if items.count > limit {
      throw Fault(
        .limit, folder.path, "\(items.count) entries would be packed, the limit is \(limit)",
        hint: Limits.hint(.zipEntries))
    }
    let file = try folder.place(name)
    let writer = ZipWriter(entries, version: version, to: file)
    if let free = try? folder.freeSpace().bytes, free < writer.byteCount {
      throw Fault(
        .io, file.path, "the archive takes \(writer.byteCount) bytes, \(free) are free",
        hint: "free some space, or write to another disk")
    }
    do {
      // The stop of a run is asked for by `check`.
      try ThreadEngine(threads: threads).walk(items.count, name: { "entry \(items[$0].key)" }) {
        number, _ in
        try check()
        try writer.write(number, open(number))
      }
    } catch { throw Fault(wrapping: error) }
    try writer.finish()
    try file.close(durable: isDurable)
    return writer.byteCount
  }
}

extension LockRules {
  /// Does something while no other process of ours makes the same thing.
  ///
  /// - Parameters:
  ///   - output: What is made.
  ///   - home: The folder that will hold it.
  ///   - body: What is done; it takes a hidden folder beside the output, in which it may use the name
  ///     `SeparateCommitter.lock.spare`.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws, and `locked` when another process keeps the lock.
  func atWork<Result>(
    on output: SeparatePath, in home: OutputFolder,
    _ body: (OutputFolder) throws(Fault) -> Result
  ) throws(Fault) -> Result {
    let (lock, workshop): (FileLock, OutputFolder)
    do {
      (lock, workshop) = try acquire(SeparateCommitter.lock, in: output.lockFolder, of: home)
    } catch {
      try? home.removeIfEmpty(output.lockFolder)
      throw error
    }
    defer {
      try? workshop.removeTree(SeparateCommitter.lock.spare)
      lock.release()
      try? FileLock.sweep(SeparateCommitter.lock.name, in: workshop)
      try? home.removeIfEmpty(output.lockFolder)
    }
    // A process that was killed may have left it.
    try workshop.removeTree(SeparateCommitter.lock.spare)
    return try body(workshop)
  }
}

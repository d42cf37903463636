import OMJSON
import OMStore

/// How something is made that stands on its own: an archive, an OME-TIFF, a folder of an archive.
package struct SeparateWork: Sendable {
  let threads: Int
  /// How it is locked against another process that makes the same.
  let lockRules: LockRules

  /// Says how to work.
  ///
  /// - Parameters:
  ///   - threads: Worker threads.
  ///   - patience: Seconds to wait for another process that makes the same.
  ///   - warn: Hears of locks that were left.
  package init(threads: Int, patience: Double, warn: @escaping @Sendable (String) -> Void) {
    self.threads = threads
    lockRules = LockRules(holder: .thisProcess(), patience: patience, check: {}, warn: warn)
  }
}

/// A file that is made whole beside its place and then moved there: an archive, or an OME-TIFF.
struct NewFile: Sendable {
  /// Its place.
  let output: SeparatePath
  /// Whether a file of this name is replaced.
  let overwrites: Bool
  /// How long to wait for another process that makes the same.
  let rules: LockRules

  /// Makes the file; it appears whole or not at all.
  ///
  /// - Parameter body: Writes it under the name and in the folder that it is given.
  /// - Returns: What `body` returns.
  /// - Throws: `exists` when something has its name, `locked` when another process makes it, and what `body`
  ///   and the disk throw.
  func make<Result>(
    _ body: (_ name: String, _ folder: OutputFolder) throws(Fault) -> Result
  ) throws(Fault) -> Result {
    let home = try OutputFolder(path: output.parent)
    try checkFree(in: home)
    return try rules.atWork(on: output, in: home) { (workshop) throws(Fault) in
      let name = SeparateCommitter.lock.spare
      let result = try body(name, workshop)
      try checkFree(in: home)
      try place(name, of: workshop, in: home)
      return result
    }
  }

  /// Moves it to its place.
  ///
  /// - Throws: What the disk throws; what was there before is there again then, where two names can change
  ///   places.
  private func place(
    _ name: String, of workshop: OutputFolder, in home: OutputFolder
  ) throws(Fault) {
    let final = output.name
    var isExchanged = false
    if overwrites, try home.kind(of: final) != nil {
      do {
        try workshop.renameExchange(name, with: home, final)
        isExchanged = true
      } catch {
        if error.kind != .unsupported { throw error }
        try workshop.renameReplacing(name, to: home, final)
        return try home.sync()
      }
    } else {
      try workshop.renameNoReplace(name, to: home, final)
    }
    do {
      try home.sync()
    } catch {
      if isExchanged {
        try? workshop.renameExchange(name, with: home, final)
      } else {
        try? home.renameNoReplace(final, to: workshop, name)
      }
      throw error
    }
  }

  private func checkFree(in home: OutputFolder) throws(Fault) {
    guard let kind = try home.kind(of: output.name) else { return }
    if kind == .file && overwrites { return }
    throw Fault(
      .exists, output.uri, "is there already" + (kind == .file ? "" : " and is \(kind.rawValue)"),
      hint: kind == .file ? "`--overwrite` replaces it" : "give another name")
  }
}

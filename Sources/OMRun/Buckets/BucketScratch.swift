import Glibc
package import OMJSON
package import OMStore

/// The local folder in which results for buckets grow: this user's alone, below one that the user names or
/// that the system has for such things.
package enum BucketScratch {
  /// Opens the folder, which is made where it is not there.
  ///
  /// *Local*.
  ///
  /// - Parameter parent: The folder it lies in.
  /// - Returns: The folder.
  /// - Throws: `missing` when there is no such folder, `permission` when it is not this user's alone.
  package static func open(in parent: String?) throws(Fault) -> OutputFolder {
    guard let parent else {
      throw Fault(
        .usage, "", "there is no folder for unfinished results",
        hint: "`--scratch FOLDER` names one, or the variable TMPDIR")
    }
    let holder = try OutputFolder(path: parent)
    let path = joinedPath(parent, "omtask-\(geteuid())")
    let isNew = mkdir(path, 0o700) == 0
    if !isNew, errno != EEXIST {
      throw Fault(
        .permission, path, "cannot be made (error \(errno))",
        hint: "`--scratch FOLDER` names another place for unfinished results")
    }
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
      status.st_uid == geteuid(), status.st_mode & 0o022 == 0
    else {
      throw Fault(
        .permission, path, "is not a folder of yours that only you can write to",
        hint: "`--scratch FOLDER` names another place for unfinished results")
    }
    return try holder.folder("omtask-\(geteuid())")
  }

  /// The folder where it is there; nothing is made.
  package static func existing(in parent: String?) -> OutputFolder? {
    guard let parent, let holder = try? OutputFolder(path: parent) else { return nil }
    return try? holder.folder("omtask-\(geteuid())")
  }

  private static func joinedPath(_ parent: String, _ name: String) -> String {
    parent.hasSuffix("/") ? parent + name : "\(parent)/\(name)"
  }

  /// Sees to it that all ranks work in one folder.
  ///
  /// *Collective*.
  ///
  /// - Parameters:
  ///   - folder: The folder of this rank.
  ///   - engine: The ranks.
  /// - Throws: `unsupported` when a rank does not see what rank 0 makes.
  static func checkShared(_ folder: OutputFolder, _ engine: any Engine) throws {
    if engine.rankCount == 1 { return }
    let name = ".omtask-\(UInt64.random(in: 0 ... .max))"
    let path = folder.path
    try engine.agree { if engine.rank == 0 { try folder.write(name, [UInt8]()) } }
    defer { if engine.rank == 0 { try? folder.removeTree(name) } }
    let shared = try engine.communicator.broadcast(engine.rank == 0 ? Array(name.utf8) : [])
    try engine.agree {
      if try folder.kind(of: String(decoding: shared, as: UTF8.self)) != nil { return }
      throw Fault(
        .unsupported, path,
        "rank \(engine.rank) on \(LockHolder.thisProcess().host) does not see what rank 0 makes there",
        hint: "`--scratch FOLDER` names a folder that all nodes of the job share")
    }
  }
}

import Glibc

/// The folder for temporary files: previews and trials.
///
/// Results are never staged there: a shard is made in memory and written once, beside its place.
struct ScratchFolder: Sendable, Equatable {
  /// The folder.
  let path: String
  /// The variable that names it; nil for the usual one.
  let variable: String?

  /// Finds it: what the scheduler made for the job on this node, then what the user names.
  ///
  /// - Parameters:
  ///   - environment: The variables.
  ///   - isFolder: Whether a path is that of a folder. Schedulers pass their variable on to nodes that lack
  ///     the folder.
  init(_ environment: Environment, isFolder: (String) -> Bool = ScratchFolder.isFolder) {
    let named = { (name: String) in environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let path = named("SLURM_TMPDIR"), isFolder(path) {
      (self.path, variable) = (path, "SLURM_TMPDIR")
    } else if let path = named("TMPDIR") {
      (self.path, variable) = (path, "TMPDIR")
    } else {
      (path, variable) = ("/tmp", nil)
    }
  }

  /// Whether a path is that of a folder.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

import Glibc

/// The folder for temporary files: previews, trials, measurements.
///
/// Results on disks are never staged there: a shard is made in memory and written once, beside its place.
/// Those for buckets are, see ``ofBuckets(_:_:)``.
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

  /// The folder in which results for buckets grow, where an unfinished one is found again after a restart of
  /// the machine: not in `/tmp`.
  ///
  /// - Parameters:
  ///   - named: What a person named.
  ///   - environment: The variables.
  /// - Returns: A folder that exists, unless a person named it; nil for none.
  static func ofBuckets(_ named: String?, _ environment: Environment) -> String? {
    if let named { return named }
    let folder = ScratchFolder(environment)
    let isWhole = { (path: String) in path.hasPrefix("/") && isFolder(path) }
    if folder.variable != nil && isWhole(folder.path) { return folder.path }
    if let cache = environment["XDG_CACHE_HOME"], isWhole(cache) { return cache }
    guard let home = environment["HOME"], isWhole(home) else { return nil }
    let cache = home.hasSuffix("/") ? "\(home).cache" : "\(home)/.cache"
    _ = mkdir(cache, 0o700)
    return isFolder(cache) ? cache : nil
  }

  /// Whether a path is that of a folder.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

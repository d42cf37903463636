import Glibc
import OMJSON

/// Finds the folder in which results for buckets grow.
enum Scratch {
  /// The folder that a person named, or that the system has for such things; nil for none.
  ///
  /// - Parameters:
  ///   - named: What a person named.
  ///   - environment: The variables of the process.
  /// - Returns: A folder that exists, unless a person named it.
  static func folder(_ named: String?, _ environment: Environment) -> String? {
    if let named { return named }
    for name in ["SLURM_TMPDIR", "TMPDIR"] {
      if let folder = environment[name], isFolder(folder) { return folder }
    }
    if let cache = environment["XDG_CACHE_HOME"], isFolder(cache) { return cache }
    guard let home = environment["HOME"], isFolder(home) else { return nil }
    let cache = home.hasSuffix("/") ? "\(home).cache" : "\(home)/.cache"
    _ = mkdir(cache, 0o700)
    return isFolder(cache) ? cache : nil
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return path.hasPrefix("/") && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

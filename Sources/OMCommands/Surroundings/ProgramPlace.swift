import Glibc

/// Where things lie on this machine, as paths that hold wherever they are used from.
enum ProgramPlace {
  /// The path of this program; nil where `/proc` does not tell.
  static var ofThisProcess: String? {
    let path = absolute("/proc/self/exe")
    return path == "/proc/self/exe" ? nil : path
  }

  /// A path without links and from the root; as it is when there is no such file.
  static func absolute(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }
}

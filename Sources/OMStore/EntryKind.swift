import Glibc

/// What stands under a name.
package enum EntryKind: String, Sendable {
  case file = "a file"
  case folder = "a folder"
  case link = "a link"
  case pipe = "a pipe"
  case socket = "a socket"
  case device = "a device"

  /// The kind in a `st_mode`.
  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    case S_IFLNK: self = .link
    case S_IFIFO: self = .pipe
    case S_IFSOCK: self = .socket
    default: self = .device
    }
  }
}

extension ValueStamp {
  /// The stamp of a file.
  init(_ status: stat) {
    let time = status.st_mtim
    self.init(size: Int(status.st_size), modified: time.tv_sec * 1_000_000_000 + time.tv_nsec)
  }
}

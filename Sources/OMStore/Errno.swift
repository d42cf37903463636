import Glibc
import OMJSON

/// The number by which the kernel says why a call did not work.
struct Errno: Error, Equatable {
  let code: Int32

  /// Whether it says that nothing has this name.
  var meansAbsent: Bool { code == ENOENT || code == ENOTDIR }

  /// Whether it says that the kernel or the file system does not know the call or a flag of it.
  var meansUnknownCall: Bool { [ENOSYS, EINVAL, ENOTSUP, EPERM].contains(code) }

  /// The error as people see it.
  ///
  /// - Parameters:
  ///   - subject: The file or the key.
  ///   - action: What was being done, to stand behind "while": `writing`.
  /// - Returns: A fault of the kind that fits.
  func fault(_ subject: String, _ action: String) -> Fault {
    let name = names[code].map { " (\($0))" } ?? ""
    return Fault(kind, subject, "\(reason)\(name) while \(action)", hint: hint)
  }

  private var kind: FaultKind {
    switch code {
    case EACCES, EPERM, EROFS: .permission
    case EEXIST, ENOTEMPTY: .exists
    case ELOOP, EXDEV, ENAMETOOLONG: .path
    case ENOENT, ENOTDIR: .missing
    default: .io
    }
  }

  private var reason: String {
    let text = String(cString: strerror(code))
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  private var hint: String? {
    switch code {
    case ENOSPC: "free some space or inodes on this disk, or write to another one"
    case EDQUOT: "your quota on this disk is used up; free some of it or write to another disk"
    case EMFILE: "this process may open \(openFileLimit) files; raise that with `ulimit -n`"
    case EACCES, EPERM: "check owner and mode of it and of the folders above it"
    case EROFS: "the disk is mounted read-only; write to another one"
    default: nil
    }
  }
}

/// Makes a call again as long as signals interrupt it.
///
/// - Returns: What the call returned; never -1, which becomes the error.
func system<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    // Read before anything else can change it.
    let code = errno
    if code != EINTR { throw Errno(code: code) }
  }
}

private let names: [Int32: String] = [
  EACCES: "EACCES", EBADF: "EBADF", EBUSY: "EBUSY", EDQUOT: "EDQUOT", EEXIST: "EEXIST",
  EFBIG: "EFBIG", EINVAL: "EINVAL", EIO: "EIO", EISDIR: "EISDIR", ELOOP: "ELOOP",
  EMFILE: "EMFILE", ENAMETOOLONG: "ENAMETOOLONG", ENFILE: "ENFILE", ENOENT: "ENOENT",
  ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOTDIR: "ENOTDIR", ENOTEMPTY: "ENOTEMPTY",
  EPERM: "EPERM", EROFS: "EROFS", ESTALE: "ESTALE", EXDEV: "EXDEV",
]

private var openFileLimit: UInt {
  var limit = rlimit()
  return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    ? UInt(limit.rlim_cur) : 0
}

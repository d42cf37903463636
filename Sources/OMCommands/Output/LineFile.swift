import Glibc
import OMJSON

/// A file that grows line by line while others read it.
final class LineFile: ByteSink {
  private let descriptor: DescriptorSink

  /// Makes the file, or empties it.
  ///
  /// - Throws: A fault that names the file: `missing`, `permission` or `io`.
  init(path: String) throws(Fault) {
    let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if number < 0 {
      let kind: FaultKind =
        switch errno {
        case EACCES, EPERM, EROFS: .permission
        case ENOENT, ENOTDIR: .missing
        default: .io
        }
      throw Fault(kind, path, "cannot be written: \(systemMessage(errno))")
    }
    descriptor = DescriptorSink(descriptor: number, name: path)
  }

  deinit { close(descriptor.descriptor) }

  var isTerminal: Bool { false }

  var columns: Int { 80 }

  func write(_ bytes: UnsafeRawBufferPointer) throws { try descriptor.write(bytes) }
}

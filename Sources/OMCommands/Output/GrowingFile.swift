import Glibc
import OMJSON

/// A file that is written piece by piece and appears under its name when it is whole.
final class GrowingFile: ByteSink {
  private let file: LineFile
  private let path: String
  private let hidden: String

  /// Begins the file beside its place.
  ///
  /// - Parameters:
  ///   - path: The file; its folder must exist.
  ///   - flag: The flag that asked for it, for messages.
  /// - Throws: As ``ResultFile``, before anything is written.
  init(path: String, flag: String) throws(Fault) {
    _ = try ResultFile(path: path, flag: flag)
    let name = path.split(separator: "/").last.map(String.init) ?? path
    self.path = path
    hidden = path.dropLast(name.count) + ".\(name).\(getpid()).tmp"
    file = try LineFile(path: hidden)
  }

  /// A file that was not finished goes.
  deinit { unlink(hidden) }

  var isTerminal: Bool { false }

  var columns: Int { 80 }

  func write(_ bytes: UnsafeRawBufferPointer) throws { try file.write(bytes) }

  /// Gives the file its name; an earlier one is replaced at once.
  ///
  /// - Throws: `io`.
  func finish() throws(Fault) {
    if rename(hidden, path) != 0 {
      throw Fault(.io, path, "cannot be written: \(systemMessage(errno))")
    }
  }
}

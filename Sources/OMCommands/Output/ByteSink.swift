import Glibc
import OMJSON

/// Where bytes for a person or a program go.
protocol ByteSink: Sendable {
  /// Whether a person looks at a terminal at the other end.
  var isTerminal: Bool { get }

  /// The width of the terminal in characters; 80 where there is none.
  var columns: Int { get }

  /// Writes all bytes.
  ///
  /// - Throws: `ReaderGone` when nobody reads any more, otherwise a fault of kind `io`.
  func write(_ bytes: UnsafeRawBufferPointer) throws
}

extension ByteSink {
  /// Writes text in UTF-8.
  ///
  /// - Throws: As ``write(_:)-bytes``.
  func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }
}

/// The reader of a pipe has gone away (`omtask cat … | head`): not a mistake, the command just ends.
struct ReaderGone: Error {}

/// An open file descriptor that this process does not close: stdin, stdout or stderr.
struct DescriptorSink: ByteSink {
  let descriptor: Int32
  /// How messages name it.
  let name: String

  /// The program's data output.
  static let standardOutput = DescriptorSink(descriptor: 1, name: "standard output")

  /// The program's messages to people.
  static let standardError = DescriptorSink(descriptor: 2, name: "standard error")

  var isTerminal: Bool { isatty(descriptor) == 1 }

  var columns: Int {
    var size = winsize()
    let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return known ? Int(size.ws_col) : 80
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } else if errno == EPIPE {
        throw ReaderGone()
      } else if errno != EINTR {
        throw Fault(.io, name, "cannot be written: \(systemMessage(errno))")
      }
    }
  }
}

/// The system's text for an error number.
func systemMessage(_ number: Int32) -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  if strerror_r(number, &buffer, buffer.count) != 0 { return "error \(number)" }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

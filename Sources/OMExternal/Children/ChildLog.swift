import Glibc

/// What a child prints for people: its beginning and its end, however much there is between.
struct ChildLog {
  private var head: [UInt8] = []
  private var tail: [UInt8] = []
  private var dropped = 0

  /// Bytes that are kept of the beginning, and at least of the end.
  static let headLimit = 64 << 10
  static let tailLimit = 448 << 10

  /// Adds what was printed.
  mutating func add(_ bytes: some Collection<UInt8>) {
    let room = Self.headLimit - head.count
    head += bytes.prefix(room)
    tail += bytes.dropFirst(room)
    if tail.count > 2 * Self.tailLimit {
      dropped += tail.count - Self.tailLimit
      tail.removeFirst(tail.count - Self.tailLimit)
    }
  }

  /// All that is kept.
  var bytes: [UInt8] {
    if dropped == 0 { return head + tail }
    return head + Array("\n… \(dropped) bytes are left out …\n".utf8) + tail
  }

  /// The last lines that say something, at most so many.
  func lastLines(_ count: Int) -> [String] {
    let text = String(decoding: (tail.isEmpty ? head : tail).suffix(4096), as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
    return lines.suffix(count).map { line in
      String(
        String.UnicodeScalarView(
          line.unicodeScalars.prefix(300).map { scalar in
            scalar.properties.generalCategory == .control ? " " : scalar
          }))
    }
  }

  /// Writes it to a new file that nobody else may read.
  ///
  /// - Parameters:
  ///   - folder: Where to.
  ///   - name: What the file is about.
  /// - Returns: The path; nil when there is nothing to keep or it cannot be kept.
  func keep(in folder: String, name: String) -> String? {
    let bytes = bytes
    if bytes.isEmpty { return nil }
    var template = Array("\(folder)/omtask-\(name)-XXXXXX.log".utf8CString)
    let descriptor = mkstemps(&template, 4)
    if descriptor < 0 { return nil }
    defer { close(descriptor) }
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count <= 0 { return }
        rest = rest.dropFirst(count)
      }
    }
    return path
  }
}

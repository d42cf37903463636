/// The head of an answer: its status and the headers that matter here.
package struct HTTPAnswer: Sendable {
  /// The status; 0 before its line was read.
  package private(set) var status = 0
  private var headers: [String: String] = [:]

  /// An answer of which nothing is known yet.
  package init() {}

  /// The names of headers that are looked at; all others are dropped as they come.
  private static let known: Set<String> = [
    "content-length", "content-range", "content-type", "content-encoding", "etag", "last-modified",
    "location", "retry-after", "x-amz-bucket-region", "transfer-encoding",
    "x-amz-checksum-crc32c",
  ]

  /// Takes one line of the head.
  ///
  /// A new line of status begins a new answer: `100 Continue` and answers of proxies come first.
  package mutating func take(_ line: some Collection<UInt8>) {
    var bytes = Array(line)
    while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
    if bytes.starts(with: "HTTP/".utf8) {
      let parts = bytes.split(separator: UInt8(ascii: " "))
      let number = parts.count > 1 ? Int(String(decoding: parts[1], as: UTF8.self)) : nil
      self = HTTPAnswer()
      status = number ?? 0
      return
    }
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return }
    let name = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
    // The first one counts: a second cannot change what was said.
    guard Self.known.contains(name), headers[name] == nil else { return }
    let value = bytes[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
    headers[name] = String(decoding: value, as: UTF8.self)
  }

  /// A header by its name in lower case.
  package subscript(name: String) -> String? { headers[name] }

  /// The bytes of the body as announced.
  package var contentLength: Int? {
    headers["content-length"].flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }
  }

  /// Which part of a value the body holds; nil when that is not said, or not as it must be.
  package var contentRange: ContentRange? { headers["content-range"].flatMap(ContentRange.init) }

  /// Whether the body says it is a page for people.
  package var isPage: Bool {
    headers["content-type"]?.lowercased().hasPrefix("text/html") ?? false
  }

  /// How the body is packed for the way; nil when it is as it is stored.
  package var packing: String? {
    headers["content-encoding"].flatMap { $0.lowercased() == "identity" || $0.isEmpty ? nil : $0 }
  }

  /// What tells one state of the value from another.
  package var validator: Validator {
    Validator(tag: headers["etag"], date: headers["last-modified"])
  }

  /// What a server says about the state of a value.
  package struct Validator: Sendable, Equatable {
    /// `ETag`; weak ones begin with `W/`.
    package let tag: String?
    /// `Last-Modified`.
    package let date: String?

    /// The header with which a later request asks for the same state only.
    var condition: String? {
      if let tag, !tag.hasPrefix("W/") { return "If-Match: \(tag)" }
      return date.map { "If-Unmodified-Since: \($0)" }
    }

    /// The tag without the mark of a weak one: servers on the way may set that.
    var opaqueTag: String? {
      tag.map { $0.hasPrefix("W/") ? String($0.dropFirst(2)) : $0 }
    }

    /// Whether two answers may be of one state; what one of them leaves out says nothing.
    package func fits(_ other: Validator) -> Bool {
      if let opaqueTag, let theirs = other.opaqueTag { return opaqueTag == theirs }
      if let date, let theirs = other.date { return date == theirs }
      return true
    }
  }
}

/// What `Content-Range` says.
package struct ContentRange: Sendable, Equatable {
  /// The bytes of the body; nil for a range that cannot be had.
  package let range: Range<Int>?
  /// All bytes of the value; nil when that is not known.
  package let size: Int?

  /// Reads `bytes 0-99/1000`, `bytes 0-99/*` or `bytes */1000`.
  package init?(_ text: String) {
    guard text.lowercased().hasPrefix("bytes") else { return nil }
    let parts = text.dropFirst(5).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let words = parts.map { $0.drop { $0 == " " || $0 == "=" } }
    size = words[1] == "*" ? nil : Self.number(words[1])
    if size == nil && words[1] != "*" { return nil }
    if words[0] == "*" {
      if size == nil { return nil }
      range = nil
      return
    }
    let ends = words[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]),
      first <= last, last < Int.max, last < size ?? Int.max
    else { return nil }
    range = first..<last + 1
  }

  /// A number of digits only.
  private static func number(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
  }
}

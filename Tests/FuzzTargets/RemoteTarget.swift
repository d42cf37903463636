import OMJSON
import OMStore

extension FuzzTarget {
  /// What a server says: the head of an answer, a document of S3, or the place of a redirect.
  static let remote = FuzzTarget("remote", refusals: [.metadata]) { bytes in
    var answer = HTTPAnswer()
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      answer.take(line)
    }
    if let part = answer.contentRange {
      try promise(part.range != nil || part.size != nil, "a range that says nothing")
      if let range = part.range, let size = part.size {
        try promise(!range.isEmpty && range.upperBound <= size, "bytes \(range) of \(size)")
      }
    }
    try promise((answer.contentLength ?? 0) >= 0, "a length below 0")
    let text = String(decoding: bytes, as: UTF8.self)
    if let url = try? RemoteURL("https://host/a/b").redirected(to: text) {
      try promise(url.scheme == "https", "\(url.description) is not encrypted")
      let known = url.description.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      try promise(known, "\(url.description) has other characters")
    }
    let elements = try XMLElements(Array(bytes), subject: "an answer")
    try promise(elements.items.count <= bytes.count, "more elements than bytes")
    _ = elements.texts("Key", in: "Contents")
  }
}

import CSys
package import OMJSON

// Files of any size, and uploads in several parts.

extension Bucket {
  /// Files with more bytes are sent in parts.
  static let largest = 64 << 20

  /// The bytes of a part: at least as many as keep memory small, and so many that 10000 parts are enough.
  static func partSize(_ size: Int) -> Int { max(16 << 20, (size + 9_999) / 10_000) }

  /// Stores a file.
  ///
  /// - Throws: As `put`; an upload in parts that fails leaves no parts.
  package func put(_ key: String, _ file: OpenedValue) throws(Fault) {
    if file.size <= Self.largest {
      _ = try put(key, try file.bytes(at: 0, count: file.size))
      return
    }
    let upload = try begin(key)
    do throws(Fault) {
      try send(file, to: key, upload)
    } catch {
      // The answer to the last request may have been lost.
      if let stored = storedChecksum(key), stored == (try? Self.checksum(of: file)) { return }
      try? abort(upload)
      throw error
    }
  }

  /// The checksum that the server keeps of a file that was stored by `put`.
  ///
  /// - Throws: What reading the file gives.
  package static func checksum(of file: OpenedValue) throws(Fault) -> String {
    if file.size <= largest { return checksum(try file.bytes(at: 0, count: file.size)) }
    var sums: [UInt8] = []
    var count = 0
    for start in stride(from: 0, to: file.size, by: partSize(file.size)) {
      let bytes = try file.bytes(
        at: start, count: min(partSize(file.size), file.size - start))
      sums += bigEndian(bytes.withUnsafeBytes { om_crc32c(0, $0.baseAddress, $0.count) })
      count += 1
    }
    return "\(checksum(sums))-\(count)"
  }

  /// An upload in parts that is not complete.
  package struct Upload: Sendable, Equatable {
    /// The key of the object.
    package let key: String
    /// How the server names it.
    package let id: String
  }

  private func begin(_ key: String) throws(Fault) -> Upload {
    try naming { () throws(Fault) in
      var request = HTTPRequest(.post, try server.url(key, query: "uploads"), payload: [])
      request.signed = [(name: "x-amz-checksum-algorithm", value: "CRC32C")]
      let answer = try document(request, key)
      guard let id = answer.text("UploadId"), !id.isEmpty else {
        throw Fault(.remote, key, "the server begins no upload in parts")
      }
      return Upload(key: key, id: id)
    }
  }

  private func send(_ file: OpenedValue, to key: String, _ upload: Upload) throws(Fault) {
    let size = Self.partSize(file.size)
    var parts: [Part] = []
    for start in stride(from: 0, to: file.size, by: size) {
      let bytes = try file.bytes(at: start, count: min(size, file.size - start))
      parts.append(try send(bytes, number: parts.count + 1, upload))
    }
    let list = Array(Self.list(of: parts).utf8)
    try naming { () throws(Fault) in
      let query = "uploadId=\(server.encoded(upload.id))"
      let request = HTTPRequest(.post, try server.url(key, query: query), payload: list)
      let answer = try document(request, key)
      // The status comes before the parts are joined.
      if let code = answer.text("Code") {
        throw Fault(.remote, key, "the server does not join the parts: \(escaped(code))")
      }
    }
  }

  /// A part that was sent.
  struct Part: Equatable {
    let tag: String
    let checksum: String
  }

  private func send(
    _ bytes: [UInt8], number: Int, _ upload: Upload
  ) throws(Fault) -> Part {
    try naming { () throws(Fault) in
      let query = "partNumber=\(number)&uploadId=\(server.encoded(upload.id))"
      let url = try server.url(upload.key, query: query)
      var request = HTTPRequest(.put, url, payload: bytes)
      request.signed = Self.headers(bytes, .none)
      guard case .found(let answer, _) = try caller.ask(request, for: upload.key, nil),
        let tag = answer.validator.tag
      else { throw Fault(.remote, upload.key, "the server does not take part \(number)") }
      return Part(tag: tag, checksum: Self.checksum(bytes))
    }
  }

  /// The document that tells the server which parts an object has.
  static func list(of parts: [Part]) -> String {
    let entries = parts.enumerated().map { index, part in
      let tag = part.tag.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        .replacing("\"", with: "&quot;")
      return "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag)</ETag>"
        + "<ChecksumCRC32C>\(part.checksum)</ChecksumCRC32C></Part>"
    }
    return "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      + entries.joined() + "</CompleteMultipartUpload>"
  }

  /// The document with which the server answers.
  private func document(_ request: HTTPRequest, _ key: String) throws(Fault) -> XMLElements {
    let body = HTTPBody(.whole(limit: 16 << 20))
    guard case .found(_, .complete) = try caller.ask(request, for: key, body) else {
      throw Fault(.remote, key, "the server does not answer as S3 does")
    }
    return try XMLElements(body.bytes, subject: key)
  }

  /// Gives an upload in parts up; what was sent is gone then.
  package func abort(_ upload: Upload) throws(Fault) {
    try naming { () throws(Fault) in
      let query = "uploadId=\(server.encoded(upload.id))"
      let request = HTTPRequest(.delete, try server.url(upload.key, query: query))
      _ = try caller.ask(request, for: upload.key, nil)
    }
  }

  /// The uploads in parts below a key that are not complete, at most those of one answer.
  package func uploads(below key: String) throws(Fault) -> [Upload] {
    try naming { () throws(Fault) in
      let start = server.start(of: key)
      let own = server.start(of: "").utf8.count
      let query = "encoding-type=url&prefix=\(server.encoded(start))&uploads="
      let answer = try document(HTTPRequest(try server.url(path: "", query: query)), key)
      let keys = answer.texts("Key", in: "Upload")
      let ids = answer.texts("UploadId", in: "Upload")
      guard keys.count == ids.count else {
        throw Fault(.remote, key, "the server lists \(keys.count) keys and \(ids.count) uploads")
      }
      var found: [Upload] = []
      for (text, id) in zip(keys, ids) {
        let bytes = listedName(text)
        // Some servers list all uploads of the bucket.
        guard bytes.starts(with: start.utf8), bytes.count > start.utf8.count else { continue }
        let name = String(decoding: bytes.dropFirst(own), as: UTF8.self)
        found.append(Upload(key: try checkedKey(name, subject: key), id: id))
      }
      return found
    }
  }
}

import CSys
package import OMJSON

/// A part of a bucket that is written to: whole objects, some of them under a condition.
///
/// Keys are those of the store. All calls are local and may come from any thread. Every object is sent with
/// its CRC-32C, which the server compares, and is there whole or not at all.
package struct Bucket: Sendable {
  let server: S3Server
  let caller: RemoteCaller

  /// The bucket that a store reads; nil for any other store.
  package init?(_ store: any Store) {
    guard let remote = store as? RemoteStore, let server = remote.server as? S3Server else {
      return nil
    }
    self.server = server
    caller = RemoteCaller(server: server)
  }

  /// How people name it.
  package var description: String { server.description }

  /// What must hold for an object to be stored.
  package enum Condition: Sendable, Equatable {
    /// Nothing.
    case none
    /// There is no object of that key.
    case absent
    /// The object is the one with this tag.
    case unchanged(String)
  }

  /// An object as it was read.
  package struct Object: Sendable {
    /// Its bytes.
    package let bytes: [UInt8]
    /// What tells it from another one of its key; nil where the server does not say.
    package let tag: String?
  }

  /// An object that is listed.
  package struct Entry: Sendable, Equatable {
    /// Its key.
    package let key: String
    /// Its bytes.
    package let size: Int
  }

  /// Reads an object; nil when there is none.
  package func read(_ key: String, limit: Int = JSON.maximumBytes) throws(Fault) -> Object? {
    try naming { () throws(Fault) in
      let body = HTTPBody(.whole(limit: limit))
      switch try caller.ask(HTTPRequest(try server.url(key)), for: key, body) {
      case .absent: return nil
      case .found(let answer, .complete):
        return Object(bytes: body.bytes, tag: answer.validator.tag)
      case .found(let answer, _):
        throw OpenedValue.tooLong(key, answer.contentLength ?? body.lengthSeen, limit: limit)
      case .changed, .outside: throw Fault(.remote, key, "the server does not send it")
      }
    }
  }

  /// Stores an object.
  ///
  /// A try whose answer was lost may have stored it: then the next one finds the condition broken by
  /// our own object, and the caller has to look at what is there.
  ///
  /// - Parameters:
  ///   - key: Its key.
  ///   - bytes: Its bytes.
  ///   - condition: What must hold.
  /// - Returns: Whether it was stored; false when the condition does not hold.
  /// - Throws: `unsupported` when the server knows no conditions, `permission` for who may not write,
  ///   `remote` when tries are spent.
  package func put(
    _ key: String, _ bytes: [UInt8], if condition: Condition = .none
  ) throws(Fault) -> Bool {
    try naming { () throws(Fault) in
      var request = HTTPRequest(.put, try server.url(key), payload: bytes)
      request.signed = Self.headers(bytes, condition)
      switch try caller.ask(request, for: key, nil) {
      case .found: return true
      case .changed where condition != .none: return false
      // What was to be replaced is gone.
      case .absent where condition != .none && condition != .absent: return false
      default: throw Fault(.remote, key, "the server does not store it")
      }
    }
  }

  /// The headers that go with an object and are signed.
  static func headers(
    _ bytes: [UInt8], _ condition: Condition
  ) -> [(name: String, value: String)] {
    var headers = [
      (name: "x-amz-checksum-crc32c", value: checksum(bytes)),
      (name: "x-amz-sdk-checksum-algorithm", value: "CRC32C"),
    ]
    switch condition {
    case .none: break
    case .absent: headers.append((name: "if-none-match", value: "*"))
    case .unchanged(let tag): headers.append((name: "if-match", value: tag))
    }
    return headers
  }

  /// The CRC-32C of bytes as S3 writes it.
  static func checksum(_ bytes: [UInt8]) -> String {
    let sum = bytes.withUnsafeBytes { om_crc32c(0, $0.baseAddress, $0.count) }
    return base64(bigEndian(sum))
  }

  static func bigEndian(_ sum: UInt32) -> [UInt8] {
    [UInt8(sum >> 24), UInt8(sum >> 16 & 255), UInt8(sum >> 8 & 255), UInt8(sum & 255)]
  }

  /// Removes an object; one that is not there is no fault.
  package func remove(_ key: String) throws(Fault) {
    try naming { () throws(Fault) in
      _ = try caller.ask(HTTPRequest(.delete, try server.url(key)), for: key, nil)
    }
  }

  /// Removes objects, some at a time.
  package func remove(_ keys: [String]) throws(Fault) {
    try atOnce(keys.count, width: Self.width) { (number) throws(Fault) in
      try remove(keys[number])
    }
  }

  /// Requests for several small objects that are under way at once.
  package static let width = 16

  /// The checksum that the server keeps of an object; nil where it keeps none.
  ///
  /// A server that refuses to say is one that keeps none.
  package func storedChecksum(_ key: String) -> String? {
    guard let url = try? server.url(key) else { return nil }
    var request = HTTPRequest(url, isHead: true)
    request.signed = [(name: "x-amz-checksum-mode", value: "ENABLED")]
    guard case .found(let answer, _)? = try? caller.ask(request, for: key, nil) else { return nil }
    return answer["x-amz-checksum-crc32c"]
  }

  /// All objects below a key, in the order of their keys.
  package func entries(below key: String) throws(Fault) -> [Entry] {
    try naming { () throws(Fault) in
      var found: [Entry] = []
      let start = server.start(of: key)
      let own = server.start(of: "").utf8.count
      try server.eachPage(of: key, delimiter: false, caller) { (page) throws(Fault) in
        let keys = page.texts("Key", in: "Contents")
        let sizes = page.texts("Size", in: "Contents").compactMap { Int($0) }
        guard keys.count == sizes.count else {
          throw Fault(.remote, key, "the server lists \(keys.count) keys and \(sizes.count) sizes")
        }
        for (text, size) in zip(keys, sizes) {
          let bytes = listedName(text)
          guard bytes.starts(with: start.utf8) else {
            throw Fault(.remote, key, "the server lists what is not below it")
          }
          if bytes.count == start.utf8.count { continue }
          let name = String(decoding: bytes.dropFirst(own), as: UTF8.self)
          found.append(Entry(key: try checkedKey(name, subject: key), size: size))
        }
      }
      return found
    }
  }

  /// Names the whole place in faults, and what writing needs where it is not allowed.
  func naming<Value>(_ work: () throws(Fault) -> Value) throws(Fault) -> Value {
    do throws(Fault) { return try work() } catch {
      var fault = error.below(description)
      if fault.kind == .permission, fault.message.contains("AccessDenied") {
        fault.hint =
          "writing needs s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListBucket; "
          + "`--output out.zarr` puts the result on a local disk"
      }
      throw fault
    }
  }
}

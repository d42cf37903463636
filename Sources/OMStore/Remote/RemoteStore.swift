package import OMJSON
import Synchronization

/// A store on a server, read by requests; every key is a URL.
///
/// ``Bucket`` writes where the server is one of S3's. Calls come from any number of threads at once, each with a connection of its own.
package final class RemoteStore: Store {
  let server: any RemoteServer
  private let caller: RemoteCaller

  /// Makes a store of a server.
  init(_ server: any RemoteServer) {
    self.server = server
    caller = RemoteCaller(server: server)
  }

  /// Makes a store of a URI.
  ///
  /// - Parameter uri: `http://…`, `https://…` or `s3://BUCKET/PREFIX`.
  /// - Throws: `usage` or `unsupported` for other URIs, and when libcurl is not there; what is wrong with
  ///   credentials.
  package convenience init(_ uri: String) throws(Fault) {
    do { try HTTPConnections.load() } catch { throw error.below(shownURI(uri)) }
    self.init(
      uri.lowercased().hasPrefix("s3://") ? try S3Server(uri) : HTTPServer(try RemoteURL(uri)))
  }

  /// Loads libcurl, unless that has been done.
  ///
  /// - Throws: A fault of kind `unsupported` when it is not there.
  package static func loadLibrary() throws(Fault) { try HTTPConnections.load() }

  /// Breaks off the requests of this process, before it ends: libraries take apart at its end what requests
  /// still under way would use.
  package static func endRequests() { HTTPConnections.shared.end() }

  /// Whether a URI is one of those that such a store reads.
  package static func takes(_ uri: String) -> Bool {
    let start = uri.prefix(8).lowercased()
    return ["http://", "https://", "s3://"].contains(where: start.hasPrefix)
  }

  package var description: String { server.description }
  package var folder: String? { nil }
  package var canList: Bool { server.canList }
  package var isRemote: Bool { true }
  /// Each is a request.
  package var stampLimit: Int { 1000 }

  package func get(_ key: String, limit: Int) throws(Fault) -> [UInt8]? {
    let body = HTTPBody(.whole(limit: limit))
    switch try ask(key, .whole(limit: limit), nil, body) {
    case .absent: return nil
    case .found(let answer, .tooLong):
      throw OpenedValue.tooLong(key, answer.contentLength ?? body.lengthSeen, limit: limit)
    case .found(let answer, _):
      try checkDocument(answer, body.bytes, key)
      return body.bytes
    case .changed, .outside: throw changed(key)
    }
  }

  package func open(_ key: String) throws(Fault) -> OpenedValue? {
    guard let found = try head(key, misplaced: .codec) else { return nil }
    guard let size = found.size else { return try opened(key, .end(1)) }
    return OpenedValue(
      key: key,
      remote: RemoteValue(self, key, size: size, found.validator, known: 0..<0, []))
  }

  package func open(_ key: String, expecting part: ExpectedPart) throws(Fault) -> OpenedValue? {
    switch part {
    case .whole(let limit): try opened(key, .whole(limit: limit))
    case .start(let count): try opened(key, .start(count))
    case .end(let count): try opened(key, .end(count))
    }
  }

  private func opened(
    _ key: String, _ wanted: HTTPBody.Wanted
  ) throws(Fault) -> OpenedValue? {
    let body = HTTPBody(wanted)
    switch try ask(key, wanted, nil, body, misplaced: .codec) {
    case .absent: return nil
    case .changed: throw changed(key)
    case .outside(let size):
      // Of a value without bytes no part can be had.
      if size ?? 0 == 0 { return OpenedValue(key: key, bytes: []) }
      throw Fault(.truncated, key, "the server has no last bytes of \(size ?? 0)")
    case .found(let answer, let ending):
      // Of a value whose end was never seen nobody knows the size.
      if ending == .tooLong, answer.contentLength == nil, case .whole(let limit) = wanted {
        throw OpenedValue.tooLong(key, body.lengthSeen, limit: limit)
      }
      guard let size = ending == .tooLong ? body.lengthSeen : body.size else {
        throw Fault(.unsupported, key, "the server does not say how long it is")
      }
      if answer.isPage, body.bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "<") {
        throw page(key)
      }
      return OpenedValue(
        key: key,
        remote: RemoteValue(self, key, size: size, answer.validator, known: body.range, body.bytes))
    }
  }

  package func list(_ prefix: String) throws(Fault) -> [String] {
    try server.list(prefix, caller)
  }

  package func isFolder(_ key: String) throws(Fault) -> Bool { try !list(key).isEmpty }

  package func stamp(_ key: String) throws(Fault) -> ValueStamp? {
    do throws(Fault) {
      return try head(key, misplaced: .codec).map {
        ValueStamp(size: $0.size ?? 0, modified: $0.validator.number)
      }
    } catch {
      // A folder is there, as on a disk: whoever reads the value says that it is none.
      if error.kind == .codec { return ValueStamp(size: 0, modified: 0) }
      throw error
    }
  }

  package func stamps(_ keys: [String]) throws(Fault) -> [ValueStamp?] {
    try each(keys) { (key) throws(Fault) in try self.stamp(key) }
  }

  /// Requests for several keys that are under way at once.
  package static let width = 16

  /// What a body gives for each key, some at a time; the first fault ends it.
  private func each<Value: Sendable>(
    _ keys: [String], _ body: @Sendable (String) throws(Fault) -> Value?
  ) throws(Fault) -> [Value?] {
    let found = Mutex<[Value?]>(Array(repeating: nil, count: keys.count))
    try atOnce(keys.count, width: Self.width) { (place) throws(Fault) in
      let value = try body(keys[place])
      found.withLock { $0[place] = value }
    }
    return found.withLock { $0 }
  }
}

// MARK: - Requests

extension RemoteStore {
  private func ask(
    _ key: String, _ wanted: HTTPBody.Wanted, _ condition: String?, _ body: HTTPBody,
    misplaced: FaultKind = .io
  ) throws(Fault) -> RemoteCaller.Reply {
    var request = HTTPRequest(try server.url(key))
    request.range = wanted.header
    request.condition = condition
    return try caller.ask(request, for: key, body, misplaced: misplaced)
  }

  /// Size and state of a value; nil when there is none.
  private func head(
    _ key: String, misplaced: FaultKind = .io
  ) throws(Fault) -> (size: Int?, validator: HTTPAnswer.Validator)? {
    if server.answersHead {
      let request = HTTPRequest(try server.url(key), isHead: true)
      switch try caller.ask(request, for: key, nil, misplaced: misplaced) {
      case .found(let answer, _): return (answer.contentLength, answer.validator)
      case .absent: return nil
      case .changed, .outside: throw changed(key)
      }
    }
    let body = HTTPBody(.start(1))
    switch try ask(key, .start(1), nil, body, misplaced: misplaced) {
    case .found(let answer, _): return (body.size, answer.validator)
    case .absent: return nil
    case .outside(let size): return (size, HTTPAnswer().validator)
    case .changed: throw changed(key)
    }
  }

  /// Reads a part of a value that was opened before.
  ///
  /// - Throws: `locked` when it is another value by now.
  func read(
    _ key: String, _ range: Range<Int>, of size: Int, _ validator: HTTPAnswer.Validator,
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    let body = HTTPBody(.range(range), into: buffer)
    switch try ask(key, .range(range), validator.condition, body) {
    case .absent, .changed, .outside: throw changed(key)
    case .found(let answer, _):
      if let now = body.size, now != size { throw changed(key) }
      if !answer.validator.fits(validator) { throw changed(key) }
    }
  }

  private func changed(_ key: String) -> Fault {
    Fault(
      .locked, key, "was replaced or removed on the server while it was read",
      hint: "run the command again when nobody changes it")
  }

  /// Refuses what cannot be a document.
  private func checkDocument(
    _ answer: HTTPAnswer, _ bytes: [UInt8], _ key: String
  ) throws(Fault) {
    if answer.isPage, bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "<") { throw page(key) }
    if let packing = answer.packing {
      throw Fault(
        .unsupported, key, "the server sends it with `Content-Encoding: \(escaped(packing))`",
        hint: "it was asked not to; store the document as it is")
    }
  }

  private func page(_ key: String) -> Fault {
    Fault(
      .metadata, key, "the server sends a page of HTML instead of the file",
      hint: "open the URL in a browser: it may ask for a login, or the path is not that of the data"
    )
  }
}

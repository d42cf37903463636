import Glibc
import OMJSON
import Synchronization

/// A bucket of Amazon's S3, or of another server that speaks its protocol.
final class S3Server: RemoteServer {
  private let bucket: String
  private let prefix: String
  private let settings: S3Settings
  private let endpoint: RemoteURL?
  /// The region that requests are signed for; servers say so when it is another one.
  private let region: Mutex<String>

  /// Makes one of a URI.
  ///
  /// - Parameter uri: `s3://BUCKET/PREFIX`.
  /// - Throws: `usage` for other URIs, and what is wrong with credentials.
  convenience init(_ uri: String) throws(Fault) {
    try self.init(uri, S3Settings.ofThisProcess())
  }

  /// Makes one with these settings.
  init(_ uri: String, _ settings: S3Settings) throws(Fault) {
    let shown = shownURI(uri)
    let rest = uri.dropFirst("s3://".count)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    bucket = String(rest[..<slash])
    var key = rest[slash...].drop { $0 == "/" }
    while key.hasSuffix("/") { key.removeLast() }
    prefix = String(key)
    let isName = bucket.utf8.allSatisfy { isLetterOrDigit($0) || "-._".utf8.contains($0) }
    if bucket.utf8.count < 3 || bucket.utf8.count > 63 || !isName || bucket.hasPrefix(".") {
      throw Fault(
        .usage, shown, "names no bucket", hint: "an example is `s3://my-bucket/images/image.zarr`")
    }
    if !prefix.isEmpty { _ = try checkedKey(prefix, subject: shown) }
    self.settings = settings
    if let endpoint = settings.endpoint {
      do { self.endpoint = try RemoteURL(endpoint) } catch {
        throw Fault(error.kind, "AWS_ENDPOINT_URL", error.message)
      }
    } else {
      endpoint = nil
    }
    region = Mutex(settings.region ?? "us-east-1")
  }

  var description: String { "s3://\(bucket)" + (prefix.isEmpty ? "" : "/\(prefix)") }
  var canList: Bool { true }
  /// Refusals of S3 say why in their body, which the answer to a question for the head lacks.
  var answersHead: Bool { false }
  var namedHost: String { endpoint?.host ?? "" }
  private var knownRegion: String { region.withLock { $0 } }

  func url(_ key: String) throws(Fault) -> RemoteURL {
    try url(path: key.isEmpty ? prefix : prefix.isEmpty ? key : "\(prefix)/\(key)", query: nil)
  }

  /// The URL of a key with a query, whose parts are in the order of their names and encoded.
  func url(_ key: String, query: String) throws(Fault) -> RemoteURL {
    try url(path: start(of: "") + key, query: query)
  }

  /// How the whole keys below a key begin.
  func start(of key: String) -> String {
    let parts = [prefix, key].filter { !$0.isEmpty }
    return parts.isEmpty ? "" : parts.joined(separator: "/") + "/"
  }

  /// The URL of a whole key of the bucket, in the region that is known by now.
  func url(path: String, query: String?) throws(Fault) -> RemoteURL {
    let region = knownRegion
    var asked = try url(path: path, query: query, region)
    asked.region = region
    return asked
  }

  private func url(path: String, query: String?, _ region: String) throws(Fault) -> RemoteURL {
    if let endpoint {
      let base = percentDecoded(endpoint.path)
      return endpoint.with(
        path: "\(String(decoding: base, as: UTF8.self))/\(bucket)/\(path)", query: query)
    }
    let service = "s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
    // The certificate of the service holds for one part in front of its name.
    if bucket.contains(".") || bucket.contains("_") || bucket.contains(where: \.isUppercase) {
      return try RemoteURL("https://\(service)").with(path: "/\(bucket)/\(path)", query: query)
    }
    return try RemoteURL("https://\(bucket).\(service)").with(path: "/\(path)", query: query)
  }

  func credentials(_ request: HTTPRequest) throws(Fault) -> [String] {
    guard let credentials = settings.credentials else {
      return request.signed.map { "\($0.name): \($0.value)" }
    }
    // Another host, to which a redirect leads, must not see what is signed for this one.
    let region = request.url.region ?? knownRegion
    let home = try url(path: prefix, query: nil, region)
    guard request.url.origin == home.origin else { return [] }
    let stamp = Self.stamp(time(nil))
    var headers = [
      (name: "host", value: request.url.authority),
      (name: "x-amz-content-sha256", value: request.digest),
      (name: "x-amz-date", value: stamp),
    ]
    headers += request.signed
    if let token = credentials.token {
      headers.append((name: "x-amz-security-token", value: token))
    }
    let signature = S3Signature(credentials, region: region, stamp: stamp)
    let authorization = signature.authorization(
      request.method.rawValue, path: request.url.path.isEmpty ? "/" : request.url.path,
      query: request.url.query ?? "", headers: headers, digest: request.digest)
    return headers.dropFirst().map { "\($0.name): \($0.value)" } + [
      "Authorization: \(authorization)"
    ]
  }

  /// A time as signatures have it.
  private static func stamp(_ seconds: Int) -> String {
    var seconds = seconds
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ number: Int32, _ count: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let day =
      digits(parts.tm_year + 1900, 4) + digits(parts.tm_mon + 1, 2) + digits(parts.tm_mday, 2)
    return day + "T" + digits(parts.tm_hour, 2) + digits(parts.tm_min, 2) + digits(parts.tm_sec, 2)
      + "Z"
  }
}

// MARK: - Answers

extension S3Server {
  func meaning(
    _ answer: HTTPAnswer, _ body: [UInt8], of key: String, at url: RemoteURL
  ) -> AnswerMeaning {
    let document = body.isEmpty ? nil : try? XMLElements(body, subject: key)
    let code = document?.text("Code").map(escaped) ?? ""
    if let region = otherRegion(answer, document, than: url.region) {
      self.region.withLock { $0 = region }
      return .otherwise
    }
    let said = document?.text("Message").map { ": \(escaped($0))" } ?? ""
    let words = "the server answers \(answer.status) \(code)\(said)"
    switch code {
    case "NoSuchBucket":
      return .refused(Fault(.missing, key, "there is no bucket `\(bucket)`"))
    case "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable",
      // Somebody else was writing the same key at that moment.
      "ConditionalRequestConflict", "OperationAborted":
      return .busy("\(answer.status) \(code)")
    case "NotImplemented":
      return .refused(Fault(.unsupported, key, words))
    // What was sent did not arrive as it was.
    case "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody":
      return .busy("\(answer.status) \(code)")
    case "ExpiredToken", "TokenRefreshRequired", "InvalidToken":
      return .refused(
        Fault(
          .permission, key, words,
          hint: "the session of the credentials has ended, or is none: get new ones"))
    default: break
    }
    if answer.status == 403 || answer.status == 401 || answer.status == 400 && !code.isEmpty {
      return .refused(Fault(.permission, key, words, hint: hint(code)))
    }
    return .of(answer, key)
  }

  private func hint(_ code: String) -> String {
    if settings.credentials == nil {
      return
        "the request was not signed: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
        + "say who asks"
    }
    return ["", "AccessDenied"].contains(code)
      ? "S3 answers so to keys that do not exist, too, unless one may list the bucket (s3:ListBucket)"
      : "compare the credentials and the clock of this machine"
  }

  /// The region that an answer names instead of the one its request was signed for.
  private func otherRegion(
    _ answer: HTTPAnswer, _ document: XMLElements?, than signed: String?
  ) -> String? {
    guard [301, 307, 400].contains(answer.status) else { return nil }
    guard let named = answer["x-amz-bucket-region"] ?? document?.text("Region") else { return nil }
    let isName = named.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
    guard isName, !named.isEmpty, named.utf8.count < 40 else { return nil }
    // Another request may have learned it meanwhile; this one has to be made again all the same.
    return named == (signed ?? knownRegion) ? nil : named
  }
}

// MARK: - Listing

extension S3Server {
  /// The names directly below a key, page by page.
  func list(_ key: String, _ caller: RemoteCaller) throws(Fault) -> [String] {
    let start = start(of: key)
    var names: Set<String> = []
    try eachPage(of: key, delimiter: true, caller) { (page) throws(Fault) in
      let found =
        page.texts("Key", in: "Contents") + page.texts("Prefix", in: "CommonPrefixes")
      for text in found {
        if let name = try Self.name(text, below: start, key) { names.insert(name) }
      }
    }
    return names.sorted()
  }

  /// Asks for a list page by page.
  ///
  /// - Parameters:
  ///   - key: What the listed keys lie below.
  ///   - delimiter: Whether only the first parts of names below it are listed.
  ///   - caller: Who asks.
  ///   - body: Takes a page.
  /// - Throws: What `body` throws, and `remote` for a list that has no end.
  func eachPage(
    of key: String, delimiter: Bool, _ caller: RemoteCaller,
    _ body: (XMLElements) throws(Fault) -> Void
  ) throws(Fault) {
    let start = start(of: key)
    var token: String?
    var tokens: Set<String> = []
    for _ in 0..<Self.mostPages {
      // In the order of their names, as they are signed.
      var query = token.map { "continuation-token=\(encoded($0))&" } ?? ""
      query += delimiter ? "delimiter=%2F&" : ""
      query += "encoding-type=url&list-type=2&prefix=\(encoded(start))"
      let answer = HTTPBody(.whole(limit: 16 << 20))
      let request = HTTPRequest(try url(path: "", query: query))
      guard case .found(_, .complete) = try caller.ask(request, for: key, answer) else {
        throw Fault(.remote, key, "the server does not list it")
      }
      let page = try XMLElements(answer.bytes, subject: key)
      try body(page)
      guard page.text("IsTruncated") == "true" else { return }
      guard let next = page.text("NextContinuationToken"), !next.isEmpty,
        tokens.insert(next).inserted
      else {
        throw Fault(.remote, key, "the server's list is not complete and does not go on")
      }
      token = next
    }
    throw Fault(.limit, key, "lists more than \(Self.mostPages) pages of names")
  }

  /// The part of a listed name that is directly below a prefix; nil for the prefix itself.
  ///
  /// - Throws: `remote` for a name that is not below the prefix.
  static func name(
    _ text: String, below start: String, _ key: String
  ) throws(Fault) -> String? {
    let bytes = listedName(text)
    guard bytes.starts(with: start.utf8) else {
      let name = escaped(String(decoding: bytes, as: UTF8.self))
      throw Fault(.remote, key, "the server lists `\(name)`, which is not below it")
    }
    let own = bytes.dropFirst(start.utf8.count).prefix { $0 != UInt8(ascii: "/") }
    return own.isEmpty ? nil : String(decoding: own, as: UTF8.self)
  }

  private static let mostPages = 10_000

  /// A text as it stands in a query.
  func encoded(_ text: String) -> String {
    percentEncoded(text, keeping: Set("-._~".utf8))
  }
}

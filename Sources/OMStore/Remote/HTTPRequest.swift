import OMJSON

/// One question to a server, or something to be stored there.
struct HTTPRequest: Sendable {
  /// What a request does.
  enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case post = "POST"
    case delete = "DELETE"
  }

  /// What is asked for.
  var url: RemoteURL
  /// What is done.
  var method = Method.get
  /// The part that is wanted, as the header has it: `bytes=0-99`.
  var range: String?
  /// A condition, as a whole header.
  var condition: String?
  /// Headers that are signed, where requests are; names in lower case.
  var signed: [(name: String, value: String)] = []
  /// What is sent; nil for nothing.
  var payload: [UInt8]?
  /// The SHA-256 of the payload in hexadecimal digits; every try sends the same.
  private(set) var digest = S3Signature.emptyDigest

  /// A question without conditions for all of something.
  init(_ url: RemoteURL, isHead: Bool = false) {
    self.url = url
    if isHead { method = .head }
  }

  /// A request that changes something.
  init(_ method: Method, _ url: RemoteURL, payload: [UInt8]? = nil) {
    self.url = url
    self.method = method
    self.payload = payload
    if let payload, !payload.isEmpty { digest = hexadecimal(sha256(payload)) }
  }

  /// Whether only the head of the answer is wanted.
  var isHead: Bool { method == .head }

  /// Whether it changes something on the server.
  var changes: Bool { method != .get && method != .head }

  /// Whether a status says that it was done.
  func isDone(_ status: Int) -> Bool {
    status == 200 || (changes ? status == 204 : status == 206)
  }

  /// The headers of every request, whoever is asked.
  ///
  /// Whatever a server can pack for the way it is asked not to: ranges count stored bytes.
  var headers: [String] {
    var headers = ["Accept: */*", "Accept-Encoding: identity", "User-Agent: omtask"]
    if let range { headers.append("Range: \(range)") }
    if let condition { headers.append(condition) }
    if payload != nil {
      // Waiting for leave to send costs a journey; libcurl would name a type for forms.
      headers += ["Expect:", "Content-Type: application/octet-stream"]
    }
    return headers
  }
}

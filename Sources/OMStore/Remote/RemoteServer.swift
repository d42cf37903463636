import OMJSON

/// How a kind of server is asked for keys, and what its answers mean.
protocol RemoteServer: Sendable {
  /// The root of the hierarchy, as people may see it.
  var description: String { get }

  /// The URL of a key; the empty key is the root.
  func url(_ key: String) throws(Fault) -> RemoteURL

  /// The headers that say who asks; they are made anew for every try.
  func credentials(_ request: HTTPRequest) throws(Fault) -> [String]

  /// The host that the user has named, as in ``RemoteURL/host``.
  var namedHost: String { get }

  /// What an answer other than 200 and 206 means.
  ///
  /// - Parameters:
  ///   - answer: Its head.
  ///   - body: Its body, as far as it was read.
  ///   - key: What was asked for; faults are about it.
  ///   - url: Where it was asked for.
  /// - Returns: Its meaning.
  func meaning(
    _ answer: HTTPAnswer, _ body: [UInt8], of key: String, at url: RemoteURL
  ) -> AnswerMeaning

  /// The names directly below a key.
  ///
  /// - Throws: `unsupported` where the server lists nothing.
  func list(_ prefix: String, _ caller: RemoteCaller) throws(Fault) -> [String]

  /// Whether the server lists names at all.
  var canList: Bool { get }

  /// Whether the server may be asked for the head of an answer alone.
  var answersHead: Bool { get }
}

/// What an answer without success means.
enum AnswerMeaning {
  /// There is nothing of that name.
  case absent
  /// It may be otherwise soon; the words say what the server answered.
  case busy(String)
  /// What is asked for has to be asked for in another way, which is known now.
  case otherwise
  /// The value is another one than before.
  case changed
  /// It stays so.
  case refused(Fault)
}

extension AnswerMeaning {
  /// What a status means, whoever answers.
  static func of(_ answer: HTTPAnswer, _ key: String, hint: String? = nil) -> AnswerMeaning {
    let words = "\(answer.status) \(reason(answer.status))"
    switch answer.status {
    case 404, 410: return .absent
    case 412: return .changed
    case 408, 425, 429, 500, 502, 503, 504: return .busy(words)
    case 401:
      return .refused(
        Fault(
          .permission, key, "the server answers \(words)",
          hint: hint ?? "it wants to know who asks: `https://USER:PASSWORD@HOST/…`"))
    case 403, 407:
      return .refused(Fault(.permission, key, "the server answers \(words)", hint: hint))
    default: return .refused(Fault(.remote, key, "the server answers \(words)"))
    }
  }

  /// The words for a status (RFC 9110).
  private static func reason(_ status: Int) -> String {
    switch status {
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 405: "Method Not Allowed"
    case 407: "Proxy Authentication Required"
    case 408: "Request Timeout"
    case 416: "Range Not Satisfiable"
    case 429: "Too Many Requests"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: "which is not expected"
    }
  }
}

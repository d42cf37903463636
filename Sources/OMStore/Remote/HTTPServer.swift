import OMJSON

/// A server that hands out files: any web server.
struct HTTPServer: RemoteServer {
  private let root: RemoteURL

  /// Makes one of the URL of a hierarchy.
  init(_ root: RemoteURL) { self.root = root }

  var description: String { root.description }
  var namedHost: String { root.host }
  var canList: Bool { false }
  /// A signature in the query mostly holds for GET alone.
  var answersHead: Bool { root.query == nil }

  func url(_ key: String) throws(Fault) -> RemoteURL { root.below(key) }

  func credentials(_ request: HTTPRequest) throws(Fault) -> [String] {
    // Another host, to which a redirect leads, must not learn them.
    guard request.url.origin == root.origin else { return [] }
    return root.authorization.map { [$0] } ?? []
  }

  func meaning(
    _ answer: HTTPAnswer, _ body: [UInt8], of key: String, at url: RemoteURL
  ) -> AnswerMeaning {
    .of(answer, key)
  }

  func list(_ prefix: String, _ caller: RemoteCaller) throws(Fault) -> [String] {
    throw Fault(
      .unsupported, prefix, "a web server does not list what it holds",
      hint: "what metadata name can be read; copy the image to a local disk for the rest")
  }
}

/// One question to a server.
struct HTTPRequest: Sendable {
  /// What is asked for.
  var url: RemoteURL
  /// Whether only the head of the answer is wanted.
  var isHead = false
  /// The part that is wanted, as the header has it: `bytes=0-99`.
  var range: String?
  /// A condition, as a whole header.
  var condition: String?

  /// A question without conditions for all of something.
  init(_ url: RemoteURL, isHead: Bool = false) {
    self.url = url
    self.isHead = isHead
  }

  /// The headers of every request, whoever is asked.
  ///
  /// Whatever a server can pack for the way it is asked not to: ranges count stored bytes.
  var headers: [String] {
    var headers = ["Accept: */*", "Accept-Encoding: identity", "User-Agent: omtask"]
    if let range { headers.append("Range: \(range)") }
    if let condition { headers.append(condition) }
    return headers
  }
}

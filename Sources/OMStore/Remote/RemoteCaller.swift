import CCurl
import Glibc
import OMJSON

/// Asks a server until it has answered: tries again what may pass, and follows it elsewhere.
struct RemoteCaller: Sendable {
  /// Who is asked.
  let server: any RemoteServer

  /// What a server says in the end.
  enum Reply {
    /// The value, or a part of it.
    case found(HTTPAnswer, HTTPBody.Ending)
    /// There is nothing of that name.
    case absent
    /// The value is not the one that the condition names.
    case changed
    /// The part that was asked for is not there; the size of the value where the server says it.
    case outside(size: Int?)
  }

  /// What came of one try.
  private enum Step {
    case reply(Reply)
    case again(String, after: Double?)
    case elsewhere(String)
    case otherwise
  }

  /// Asks for something.
  ///
  /// - Parameters:
  ///   - request: What to ask; it may be made again for another URL.
  ///   - key: What faults are about.
  ///   - body: Takes the body; nil for none.
  ///   - misplaced: What a folder in place of a file is.
  /// - Returns: The reply.
  /// - Throws: `remote` when all tries are spent, `permission` or `path` for what is refused, `truncated` for
  ///   answers that contradict themselves, kind `misplaced` for a redirect to a folder of the same name.
  func ask(
    _ request: HTTPRequest, for key: String, _ body: HTTPBody?, misplaced: FaultKind = .io
  ) throws(Fault) -> Reply {
    let limits = Limits.current
    var tries = RequestTries(limits)
    var visited: Set<String> = [request.url.requested]
    let asked = request.url
    var request = request
    var retold = 0
    while true {
      switch try step(request, key, body, &tries) {
      case .reply(let reply): return reply
      case .again(let words, let wait):
        guard tries.waits(atLeast: wait) else {
          throw Fault(
            .remote, key,
            "\(words); asked \(counted(tries.count)) in \(tries.seconds) s"
              + via(request, key),
            hint: "the same command goes on when the server answers again")
        }
      case .otherwise:
        retold += 1
        if retold > 2 {
          throw Fault(.remote, key, "the server names one region after the other")
        }
        // What was asked for stays: a list is asked for by a query.
        request.url = try server.url(key).asking(asked)
      case .elsewhere(let location):
        if request.changes {
          // Whoever that is was not named by the user.
          throw Fault(
            .path, key,
            "the server sends us to `\(shownURI(location))`, and what is written is not sent elsewhere",
            hint: "AWS_REGION and AWS_ENDPOINT_URL name the right server")
        }
        let next: RemoteURL
        do { next = try request.url.redirected(to: location) } catch { throw about(key, error) }
        if request.url.isFolder(next) {
          throw Fault(misplaced, key, "is a folder on the server, expected a file")
        }
        if !visited.insert(next.requested).inserted {
          throw Fault(
            .path, key, "the server sends us in a circle, back to \(next.description)")
        }
        if visited.count - 1 > limits.remoteRedirects {
          throw Fault(
            .path, key,
            "the server sends us elsewhere more than \(limits.remoteRedirects) times, "
              + "last to \(next.description)", hint: Limits.hint(.remoteRedirects))
        }
        request.url = next
      }
    }
  }

  /// Makes one request and looks at the answer.
  private func step(
    _ request: HTTPRequest, _ key: String, _ body: HTTPBody?, _ tries: inout RequestTries
  ) throws(Fault) -> Step {
    try checkLiteral(request.url, key)
    let exchange = HTTPExchange(request, body)
    let ending: HTTPConnections.Ending
    do {
      ending = try HTTPConnections.shared.perform(
        request, headers: try server.credentials(request), reaching: reachable(request.url),
        exchange)
    } catch { throw about(key, error) }
    tries.count += 1
    let answer = exchange.answer
    let isSuccess = request.isDone(answer.status)
    if ending.outcome == om_http_stopped && !exchange.hasHead {
      throw Fault(.remote, key, "the head of the answer has no end" + via(request, key))
    }
    if ending.outcome == om_http_done || ending.outcome == om_http_stopped {
      tries.hasAnswered = true
      if isSuccess { return try success(answer, body, key) }
      return try refusal(answer, exchange, request, key)
    }
    return try failure(ending, tries, request, key)
  }

  private func success(
    _ answer: HTTPAnswer, _ body: HTTPBody?, _ key: String
  ) throws(Fault) -> Step {
    guard let body else { return .reply(.found(answer, .complete)) }
    if let fault = body.fault { throw about(key, fault) }
    let ending = body.end()
    if ending == .short { return .again("the server sends less than it announces", after: nil) }
    return .reply(.found(answer, ending))
  }

  private func refusal(
    _ answer: HTTPAnswer, _ exchange: HTTPExchange, _ request: HTTPRequest, _ key: String
  ) throws(Fault) -> Step {
    let meaning = server.meaning(answer, exchange.refusal, of: key, at: request.url)
    if case .otherwise = meaning { return .otherwise }
    if [301, 302, 303, 307, 308].contains(answer.status) {
      guard let location = answer["location"] else {
        throw Fault(.remote, key, "the server answers \(answer.status) and no place to go")
      }
      return .elsewhere(location)
    }
    if answer.status == 416 { return .reply(.outside(size: answer.contentRange?.size)) }
    switch meaning {
    case .absent: return .reply(.absent)
    case .changed: return .reply(.changed)
    case .otherwise: return .otherwise
    case .busy(let words):
      return .again("the server answers \(words)", after: Self.wait(answer["retry-after"]))
    case .refused(var fault):
      fault.message += via(request, key)
      throw fault
    }
  }

  /// What a request without an answer means.
  private func failure(
    _ ending: HTTPConnections.Ending, _ tries: RequestTries, _ request: HTTPRequest, _ key: String
  ) throws(Fault) -> Step {
    let host = request.url.authority
    switch ending.outcome {
    case om_http_guarded:
      throw Fault(
        .path, key,
        "`\(host)` is an address of this machine's own network"
          + ", where only its own services answer" + via(request, key),
        hint: "a URI on the command line may name such a host, a server may not")
    case om_http_untrusted:
      throw Fault(
        .permission, key, "the certificate of `\(host)` cannot be trusted: \(ending.text)",
        hint: "the variable SSL_CERT_FILE names a file with the certificates to trust")
    case om_http_silent:
      return .again("`\(host)` does not answer in time: \(ending.text)", after: nil)
    case om_http_unknown_host, om_http_no_connection:
      // A name that was mistyped stays so.
      if !tries.hasAnswered && tries.count >= 3 {
        throw Fault(
          .remote, key, "`\(host)` cannot be reached: \(ending.text)" + via(request, key))
      }
      return .again("`\(host)` cannot be reached: \(ending.text)", after: nil)
    case om_http_broken: return .again("the connection broke: \(ending.text)", after: nil)
    default: throw Fault(.remote, key, "the request failed: \(ending.text)" + via(request, key))
    }
  }

  /// Which kinds of addresses a URL may lead to: those that the user has named.
  private func reachable(_ url: RemoteURL) -> Int {
    guard url.host == server.namedHost else { return 0 }
    // A name must not lead to the service that gives out secrets, an address is meant as it is.
    let isAddress =
      url.host.hasPrefix("[")
      || url.host.utf8.allSatisfy {
        (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")
      }
    return om_http_link_local | (isAddress ? om_http_metadata_service : 0)
  }

  /// Refuses an address that is written out; behind a proxy libcurl never sees it.
  private func checkLiteral(_ url: RemoteURL, _ key: String) throws(Fault) {
    if url.host == server.namedHost { return }
    guard url.host.hasPrefix("169.254.") || url.host.hasPrefix("[fe80:") else { return }
    throw Fault(
      .path, key,
      "the server sends us to `\(url.authority)`, an address of this machine's own network",
      hint: "a URI on the command line may name such a host, a server may not")
  }

  /// A fault about a key.
  private func about(_ key: String, _ fault: Fault) -> Fault {
    var fault = fault
    fault.subject = key
    return fault
  }

  /// Where a redirect has led; empty when there was none.
  private func via(_ request: HTTPRequest, _ key: String) -> String {
    guard let first = try? server.url(key), first.description != request.url.description,
      !request.url.description.isEmpty, first.origin != request.url.origin
    else { return "" }
    return " (at \(request.url.description))"
  }

  private func counted(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }

  /// Seconds to wait as `Retry-After` says: a number, or a date.
  static func wait(_ text: String?) -> Double? {
    guard let text else { return nil }
    if let seconds = Double(text), seconds.isFinite { return max(0, seconds) }
    let date = om_http_date(text)
    return date < 0 ? nil : max(0, Double(date) - Double(time(nil)))
  }
}

package import OMJSON

/// An `http://` or `https://` URL, cut into its parts and checked.
package struct RemoteURL: Sendable, Hashable {
  /// `http` or `https`.
  package let scheme: String
  /// User and password before the host, as they stand in the URL; a secret.
  let userInfo: String?
  /// The host in lower case; an IPv6 address with its brackets.
  package let host: String
  /// The port; nil for the usual one of the scheme, which requests do not name.
  let port: String?
  /// The path, encoded, without a slash at its end; empty for the root.
  let path: String
  /// What follows the question mark, encoded; it may hold secrets.
  let query: String?
  /// The region that requests for it are signed for; nil where nobody signs.
  var region: String?

  /// Takes a URL apart.
  ///
  /// - Parameters:
  ///   - text: The URL. Bytes that URLs may not hold are encoded, `%41` stays as it is.
  ///   - keepsSlash: Whether a slash at the end of its path counts.
  /// - Throws: A fault of kind `usage` for what is no such URL; its subject shows no secret.
  package init(_ text: String, keepsSlash: Bool = false) throws(Fault) {
    let shown = shownURI(text)
    guard let colon = text.firstRange(of: "://") else {
      throw Fault(.usage, shown, "is no URL", hint: "it begins with `http://` or `https://`")
    }
    let scheme = text[..<colon.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else {
      throw Fault(.unsupported, shown, "the scheme `\(escaped(scheme))` is not known")
    }
    var rest = text[colon.upperBound...]
    if rest.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") }) {
      throw Fault(.usage, shown, "the URL has a control character or a backslash")
    }
    if rest.contains("#") {
      throw Fault(.usage, shown, "the URL has a `#`", hint: "write `%23` for one in a name")
    }
    var query: String?
    if let mark = rest.firstIndex(of: "?") {
      query = percentEncoded(rest[rest.index(after: mark)...], keeping: Self.queryBytes)
      rest = rest[..<mark]
    }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    var authority = rest[..<slash]
    var path = rest[slash...]
    while path.hasSuffix("/") && !keepsSlash { path.removeLast() }
    var userInfo: String?
    if let at = authority.lastIndex(of: "@") {
      userInfo = String(authority[..<at])
      authority = authority[authority.index(after: at)...]
    }
    guard let (host, port) = Self.split(authority) else {
      throw Fault(.usage, shown, "the URL has no host that could be asked")
    }
    let parts = path.split(separator: "/").map { percentDecoded($0) }
    if parts.contains(where: { $0 == Array("..".utf8) || $0 == Array(".".utf8) }) {
      throw Fault(.path, shown, "the URL has a part `.` or `..`", hint: "write the path without it")
    }
    self.scheme = scheme
    self.userInfo = userInfo
    self.host = host
    self.port = port == (scheme == "https" ? "443" : "80") ? nil : port
    self.path = percentEncoded(path, keeping: Self.pathBytes)
    self.query = query
  }

  private init(_ other: RemoteURL, path: String, query: String?) {
    scheme = other.scheme
    userInfo = other.userInfo
    host = other.host
    port = other.port
    region = other.region
    self.path = path
    self.query = query
  }

  /// This server, asked for what another URL asks for.
  func asking(_ other: RemoteURL) -> RemoteURL {
    RemoteURL(self, path: other.path, query: other.query)
  }

  /// The same host with another path, which is encoded here, and another query, which is encoded already.
  func with(path: String, query: String?) -> RemoteURL {
    RemoteURL(self, path: percentEncoded(path, keeping: Self.keyBytes), query: query)
  }

  /// The URL of a key below this one; the query stays.
  func below(_ key: String) -> RemoteURL {
    if key.isEmpty { return self }
    return RemoteURL(
      self, path: path + "/" + percentEncoded(key, keeping: Self.keyBytes), query: query)
  }

  /// What a request asks for: without user and password, which go into a header.
  var requested: String { "\(scheme)://\(authority)\(target)" }

  /// Path and query, as the first line of a request has them.
  var target: String {
    (path.isEmpty ? "/" : path) + (query.map { "?\($0)" } ?? "")
  }

  /// Whether another URL is this one with a slash: the way servers say that it is a folder.
  func isFolder(_ other: RemoteURL) -> Bool {
    other.origin == origin && other.path == path + "/"
  }

  /// Host and port, as the header `Host` has them.
  var authority: String { host + (port.map { ":\($0)" } ?? "") }

  /// How people see it: without any secret.
  package var description: String {
    "\(scheme)://\(userInfo == nil ? "" : "***@")\(authority)\(path)"
  }

  /// Where connections go: scheme, host and port.
  var origin: String { "\(scheme)://\(host):\(port ?? (scheme == "https" ? "443" : "80"))" }

  /// The header for user and password, when the URL has them.
  var authorization: String? {
    userInfo.map { "Authorization: Basic " + base64(percentDecoded($0)) }
  }

  /// Where a redirect leads.
  ///
  /// - Parameter location: What the answer says: a whole URL, or one relative to this.
  /// - Returns: The URL.
  /// - Throws: `path` for what may not be followed.
  package func redirected(to location: String) throws(Fault) -> RemoteURL {
    func refused(_ reason: String) -> Fault {
      Fault(.path, description, "the server sends us to `\(shownURI(location))`, \(reason)")
    }
    let absolute: String
    if location.hasPrefix("//") {
      absolute = "\(scheme):\(location)"
    } else if let colon = location.firstRange(of: ":"),
      !location[..<colon.lowerBound].contains(where: { "/?#".contains($0) })
    {
      let other = location[..<colon.lowerBound].lowercased()
      if other != "http" && other != "https" {
        throw refused("and only `http` and `https` are followed")
      }
      absolute = location
    } else if location.hasPrefix("/") {
      absolute = "\(scheme)://\(authority)\(location)"
    } else {
      let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
      absolute = "\(scheme)://\(authority)\(folder)\(location)"
    }
    var url: RemoteURL
    do { url = try RemoteURL(String(absolute.prefix { $0 != "#" }), keepsSlash: true) } catch {
      throw refused("which \(error.message)")
    }
    if scheme == "https" && url.scheme == "http" {
      throw refused("which would leave the encrypted connection")
    }
    url.region = region
    return url
  }

  /// Host and port; nil when they are none.
  private static func split(_ authority: Substring) -> (host: String, port: String?)? {
    var host = authority
    var port: Substring?
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return nil }
      host = authority[...end]
      let rest = authority[authority.index(after: end)...]
      if !rest.isEmpty {
        guard rest.hasPrefix(":") else { return nil }
        port = rest.dropFirst()
      }
      let inner = host.dropFirst().dropLast().utf8
      if inner.isEmpty || !inner.allSatisfy({ isHexadecimal($0) || ":.".utf8.contains($0) }) {
        return nil
      }
    } else {
      if let colon = authority.lastIndex(of: ":") {
        host = authority[..<colon]
        port = authority[authority.index(after: colon)...]
      }
      let isName = host.utf8.allSatisfy {
        isLetterOrDigit($0) || "-._~".utf8.contains($0)
      }
      if host.isEmpty || !isName { return nil }
    }
    guard let port else { return (host.lowercased(), nil) }
    guard let number = portNumber(port) else { return nil }
    return (host.lowercased(), String(number))
  }

  private static let pathBytes = Set("-._~!$&'()*+,;=:@/%".utf8)
  private static let queryBytes = Set("-._~!$&'()*+,;=:@/%?".utf8)
  /// What stays of a key: what S3 wants in signatures.
  private static let keyBytes = Set("-._~/".utf8)
}

/// A URI without what must not be seen: user and password, and secrets in its query.
///
/// - Parameter uri: Any URI or path.
/// - Returns: It with `***` in place of secrets; local paths stay as they are.
package func shownURI(_ uri: String) -> String {
  guard let colon = uri.firstRange(of: "://"), !uri.hasPrefix("/") else { return uri }
  var rest = uri[colon.upperBound...]
  var query = ""
  let front = rest.prefix { !"/?".contains($0) }
  if namesNoPort(front), let at = rest.lastIndex(of: "@") {
    // A password may hold slashes and question marks that should have been encoded.
    rest = "***" + rest[at...]
  }
  if let mark = rest.firstIndex(of: "?") {
    query = shownQuery(rest[rest.index(after: mark)...])
    rest = rest[..<mark]
  }
  let slash = rest.firstIndex(of: "/") ?? rest.endIndex
  if let at = rest[..<slash].lastIndex(of: "@") { rest = "***" + rest[at...] }
  return escaped(uri[..<colon.upperBound] + rest + query)
}

/// Whether what follows a colon in the front of a URL is no port, so that it may be a password.
private func namesNoPort(_ front: Substring) -> Bool {
  var rest = front
  if front.hasPrefix("["), let end = front.firstIndex(of: "]") {
    rest = front[front.index(after: end)...]
  }
  guard let colon = rest.firstIndex(of: ":") else { return false }
  return portNumber(rest[rest.index(after: colon)...]) == nil
}

/// A port; nil for what is none.
private func portNumber(_ text: Substring) -> UInt16? {
  text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt16(text) : nil
}

/// A query with `***` in place of the values of everything that may be a secret.
private func shownQuery(_ query: Substring) -> String {
  let shown = query.split(separator: "&", omittingEmptySubsequences: false).map { part in
    let name = part.prefix { $0 != "=" }
    return isSecret(name.lowercased()) && name.count < part.count ? "\(name)=***" : String(part)
  }
  return "?" + shown.joined(separator: "&")
}

private func isSecret(_ name: String) -> Bool {
  let words = ["sig", "token", "key", "secret", "pass", "auth", "credential"]
  return name.hasPrefix("x-amz-") || name.hasPrefix("x-goog-")
    || words.contains { name.contains($0) }
}

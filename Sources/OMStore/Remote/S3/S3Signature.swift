import OMJSON

/// What proves to Amazon's services who asks.
package struct S3Credentials: Sendable, Equatable {
  /// The public part.
  package var keyID: String
  /// The secret part.
  package var secret: String
  /// The session of a secret that is valid for a while.
  package var token: String?

  /// Makes credentials.
  package init(keyID: String, secret: String, token: String? = nil) {
    self.keyID = keyID
    self.secret = secret
    self.token = token
  }
}

/// The signature of a request, version 4 of Amazon's ("Signature Version 4 signing process").
package struct S3Signature: Sendable {
  private let credentials: S3Credentials
  private let scope: String
  private let stamp: String
  private let key: [UInt8]

  /// The digest of no body.
  package static let emptyDigest = hexadecimal(sha256([]))

  /// Prepares for signing.
  ///
  /// - Parameters:
  ///   - credentials: Who signs.
  ///   - region: The region of the bucket.
  ///   - service: `s3`, or another one in tests.
  ///   - stamp: The time as `20150830T123600Z`.
  package init(_ credentials: S3Credentials, region: String, service: String = "s3", stamp: String)
  {
    self.credentials = credentials
    self.stamp = stamp
    let day = String(stamp.prefix(8))
    scope = "\(day)/\(region)/\(service)/aws4_request"
    var key = Array("AWS4\(credentials.secret)".utf8)
    for part in [day, region, service, "aws4_request"] { key = hmac(key, Array(part.utf8)) }
    self.key = key
  }

  /// The value of the header `Authorization`.
  ///
  /// - Parameters:
  ///   - method: `GET`, `PUT` and so on.
  ///   - path: The path as it is sent, encoded.
  ///   - query: The query as it is sent, encoded; empty for none.
  ///   - headers: The headers that are signed, names in lower case.
  ///   - digest: The digest of the body in hexadecimal digits.
  /// - Returns: The value.
  package func authorization(
    _ method: String, path: String, query: String, headers: [(name: String, value: String)],
    digest: String
  ) -> String {
    let sorted = headers.sorted { $0.name < $1.name }
    let names = sorted.map(\.name).joined(separator: ";")
    let pairs = query.split(separator: "&").map { (part: Substring) -> (String, String) in
      let name = part.prefix { $0 != "=" }
      return (String(name), String(part.dropFirst(name.count + 1)))
    }
    let ordered = pairs.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    let request =
      ([method, path, ordered] + sorted.map { "\($0.name):\($0.value)" } + ["", names, digest])
      .joined(separator: "\n")
    let text = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n" + hexadecimal(sha256(Array(request.utf8)))
    let signature = hexadecimal(hmac(key, Array(text.utf8)))
    return "AWS4-HMAC-SHA256 Credential=\(credentials.keyID)/\(scope), SignedHeaders=\(names), "
      + "Signature=\(signature)"
  }
}

/// HMAC-SHA-256 (RFC 2104).
package func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
  let short = key.count > 64 ? sha256(key) : key
  let padded = short + [UInt8](repeating: 0, count: 64 - short.count)
  let inner = sha256(padded.map { $0 ^ 0x36 } + message)
  return sha256(padded.map { $0 ^ 0x5C } + inner)
}

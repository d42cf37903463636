import Glibc
import OMJSON

/// Region, endpoint and credentials as the usual variables and files say them.
struct S3Settings: Sendable {
  /// Nil for a public bucket, which anybody may read.
  var credentials: S3Credentials?
  /// The region, where it is said.
  var region: String?
  /// A server other than Amazon's.
  var endpoint: String?

  /// Looks up variables first, then the files `credentials` and `config`.
  ///
  /// - Parameters:
  ///   - variable: An environment variable; nil when it is not set.
  ///   - file: The text of a file; nil when it is not there.
  /// - Throws: `permission` for a profile that does not exist, `unsupported` for ways to find credentials
  ///   that are not known here.
  init(
    variable: (String) -> String?, file: (String) throws(Fault) -> String?
  ) throws(Fault) {
    func value(_ names: String...) -> String? {
      names.lazy.compactMap(variable).first { !$0.isEmpty }
    }
    region = value("AWS_REGION", "AWS_DEFAULT_REGION")
    endpoint = value("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    if let keyID = value("AWS_ACCESS_KEY_ID"), let secret = value("AWS_SECRET_ACCESS_KEY") {
      credentials = S3Credentials(keyID: keyID, secret: secret, token: value("AWS_SESSION_TOKEN"))
    }
    let asked = value("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
    let name = asked ?? "default"
    let home = value("HOME") ?? ""
    let secrets = try file(value("AWS_SHARED_CREDENTIALS_FILE") ?? "\(home)/.aws/credentials")
    let config = try file(value("AWS_CONFIG_FILE") ?? "\(home)/.aws/config")
    let own = secrets.flatMap { Self.section($0, [name]) }
    let common = config.flatMap {
      Self.section($0, name == "default" ? ["default", "profile default"] : ["profile \(name)"])
    }
    if let asked, own == nil, common == nil {
      throw Fault(
        .permission, "AWS_PROFILE", "there is no profile `\(escaped(asked))`",
        hint: "`~/.aws/config` and `~/.aws/credentials` hold profiles")
    }
    let known = (common ?? [:]).merging(own ?? [:]) { $1 }
    region = region ?? known["region"]
    endpoint = endpoint ?? known["endpoint_url"]
    if credentials == nil, let keyID = known["aws_access_key_id"],
      let secret = known["aws_secret_access_key"]
    {
      credentials = S3Credentials(keyID: keyID, secret: secret, token: known["aws_session_token"])
    }
    let others = ["credential_process", "sso_session", "sso_start_url", "role_arn"]
    if credentials == nil, let other = others.first(where: { known[$0] != nil }) {
      throw Fault(
        .unsupported, "AWS_PROFILE",
        "the profile `\(escaped(name))` finds credentials by `\(other)`",
        hint:
          "`eval \"$(aws configure export-credentials --profile \(escaped(name)) --format env)\"`"
          + " puts them into variables")
    }
  }

  /// Those of this process.
  static func ofThisProcess() throws(Fault) -> S3Settings {
    try S3Settings(
      variable: { getenv($0).map { String(cString: $0) } },
      file: { (path) throws(Fault) in try readText(path) })
  }

  /// The members of a section of such a file; nil when there is none of these names.
  static func section(_ text: String, _ names: [String]) -> [String: String]? {
    var found: [String: String]?
    var isInside = false
    for line in text.split(whereSeparator: { $0.isNewline }) {
      // What is indented belongs to a member with parts of its own.
      if line.first?.isWhitespace ?? true { continue }
      let trimmed = trimmed(line)
      if trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
      if trimmed.hasPrefix("[") {
        let name = trimmed.dropFirst().prefix { $0 != "]" }
        let words = name.split(whereSeparator: { $0.isWhitespace })
        isInside = names.contains(words.joined(separator: " "))
        if isInside { found = found ?? [:] }
      } else if isInside, let sign = trimmed.firstIndex(of: "=") {
        let name = S3Settings.trimmed(trimmed[..<sign]).lowercased()
        found?[name] = String(S3Settings.trimmed(trimmed[trimmed.index(after: sign)...]))
      }
    }
    return found
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return text
  }
}

/// The text of a small file; nil when it is not there.
private func readText(_ path: String) throws(Fault) -> String? {
  do {
    let file = try Descriptor(below: AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    let value = try? OpenedValue(key: path, file: file)
    guard let value else { return nil }
    return String(decoding: try value.readAll(limit: 1 << 20), as: UTF8.self)
  } catch let error as Errno {
    if error.meansAbsent || error.code == EACCES { return nil }
    throw error.fault(path, "reading it")
  } catch let fault as Fault {
    throw fault
  } catch {
    return nil
  }
}

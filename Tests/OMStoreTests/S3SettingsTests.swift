import OMJSON
import Testing

@testable import OMStore

@Suite struct S3SettingsTests {
  private static let credentials = """
    [default]
    aws_access_key_id = ONE
    aws_secret_access_key=first
    # a remark
    [lab]
    aws_access_key_id = TWO
    aws_secret_access_key = second
    aws_session_token = session
    """
  private static let config = """
    [default]
    region = eu-west-1
    [profile lab]
    region = eu-central-1
    s3 =
      addressing_style = path
    endpoint_url = https://s3.lab.example
    [profile single]
    sso_session = lab
    """

  private func settings(_ variables: [String: String], files: Bool = true) throws(Fault)
    -> S3Settings
  {
    try S3Settings(
      variable: { variables[$0] },
      file: { path in
        if !files { return nil }
        return path == "/home/me/.aws/config"
          ? Self.config : path == "/home/me/.aws/credentials" ? Self.credentials : nil
      })
  }

  @Test func `variables come before files`() throws {
    let found = try settings([
      "HOME": "/home/me", "AWS_ACCESS_KEY_ID": "K", "AWS_SECRET_ACCESS_KEY": "S",
      "AWS_REGION": "us-west-2", "AWS_ENDPOINT_URL": "http://all",
      "AWS_ENDPOINT_URL_S3": "http://s3",
    ])
    #expect(found.credentials == S3Credentials(keyID: "K", secret: "S"))
    #expect(found.region == "us-west-2")
    #expect(found.endpoint == "http://s3")
  }

  @Test func `a profile is put together from both files`() throws {
    let found = try settings(["HOME": "/home/me", "AWS_PROFILE": "lab"])
    #expect(found.credentials == S3Credentials(keyID: "TWO", secret: "second", token: "session"))
    #expect(found.region == "eu-central-1")
    #expect(found.endpoint == "https://s3.lab.example")
  }

  @Test func `without a profile the default one counts, and without files nobody signs`() throws {
    let found = try settings(["HOME": "/home/me"])
    #expect(found.credentials == S3Credentials(keyID: "ONE", secret: "first"))
    #expect(found.region == "eu-west-1")
    let none = try settings(["HOME": "/home/me"], files: false)
    #expect(none.credentials == nil)
    #expect(none.region == nil)
  }

  @Test func `a profile that is not there or needs another program is refused`() {
    #expect(throws: Fault.self) { try settings(["HOME": "/home/me", "AWS_PROFILE": "no"]) }
    do {
      _ = try settings(["HOME": "/home/me", "AWS_PROFILE": "single"])
      Issue.record("it is taken")
    } catch {
      #expect(error.kind == .unsupported)
      #expect(error.message.contains("sso_session"))
    }
  }

  @Test(arguments: [
    (
      "s3://lab-data/a/b.zarr", "eu-west-1", nil,
      "https://lab-data.s3.eu-west-1.amazonaws.com/a/b.zarr/0/c/0%200"
    ),
    (
      "s3://lab.data/b", "cn-north-1", nil,
      "https://s3.cn-north-1.amazonaws.com.cn/lab.data/b/0/c/0%200"
    ),
    (
      "s3://lab-data/", "x", "http://127.0.0.1:9000/s3/",
      "http://127.0.0.1:9000/s3/lab-data/0/c/0%200"
    ),
  ]) func `keys have the URLs of their bucket`(
    uri: String, region: String, endpoint: String?, expected: String
  ) throws {
    var settings = try settings([:], files: false)
    settings.region = region
    settings.endpoint = endpoint
    let server = try S3Server(uri, settings)
    #expect(try server.url("0/c/0 0").requested == expected)
  }

  @Test(arguments: ["s3://", "s3://ab/x", "s3://buck et/x", "s3://bucket/../x", "s3://u@b/x"])
  func `other URIs name no bucket`(uri: String) throws {
    let settings = try settings([:], files: false)
    #expect(throws: Fault.self) { try S3Server(uri, settings) }
  }
}

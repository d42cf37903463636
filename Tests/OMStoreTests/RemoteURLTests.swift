import OMJSON
import Testing

@testable import OMStore

@Suite struct RemoteURLTests {
  @Test func `keys are put below a URL, and the query stays`() throws {
    let url = try RemoteURL("HTTPS://me:pass@Example.org:8443/a b/image.zarr/?token=abc")
    #expect(
      url.below("0/c/ä").requested
        == "https://example.org:8443/a%20b/image.zarr/0/c/%C3%A4?token=abc")
    #expect(url.description == "https://***@example.org:8443/a%20b/image.zarr")
    #expect(url.authorization == "Authorization: Basic bWU6cGFzcw==")
    #expect(try RemoteURL("http://[::1]:80").target == "/")
  }

  @Test(arguments: [
    ("http://h:80/x", "h"), ("https://h:443/x", "h"), ("https://h:80/x", "h:80"),
    ("http://h:08080/x", "h:8080"), ("http://[::1]:80", "[::1]"),
  ]) func `the usual port is not named`(text: String, authority: String) throws {
    #expect(try RemoteURL(text).authority == authority)
  }

  @Test func `listed names may have spaces and plus signs`() throws {
    #expect(try S3Server.name("a/b+c%2Bd/e", below: "a/", "key") == "b c+d")
    #expect(try S3Server.name("a/", below: "a/", "key") == nil)
    #expect(throws: Fault.self) { try S3Server.name("b/c", below: "a/", "key") }
  }

  @Test(arguments: [
    "http://", "http:///x", "http://a b/x", "http://h:99999/", "http://h:/x", "http://h/x#y",
    "http://h/a/../b", "http://h/%2e%2E/b", "http://h/a\\b", "http://h/a\nb", "http://[::1/x",
    "http://h\u{0}/", "ftp://h/x", "h/x",
  ]) func `what is no URL is refused`(text: String) {
    #expect(throws: Fault.self) { try RemoteURL(text) }
  }

  @Test(arguments: [
    ("http://u:p@h/x.zarr", "http://***@h/x.zarr"),
    ("https://h/x?X-Amz-Signature=abc&a=1&sig=2", "https://h/x?X-Amz-Signature=***&a=1&sig=***"),
    ("s3://b/x?token=1", "s3://b/x?token=***"),
    ("/local/a@b?token=1", "/local/a@b?token=1"),
    ("https://h/x?apikey=1&AccessToken=2", "https://h/x?apikey=***&AccessToken=***"),
    ("https://u:p/q?r@h/x", "https://***@h/x"), ("http://u@h:8080/x", "http://***@h:8080/x"),
    ("http://h:80/a@b", "http://h:80/a@b"), ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
  ]) func `secrets are not shown`(uri: String, shown: String) {
    #expect(shownURI(uri) == shown)
  }

  @Test(arguments: [
    ("http://other/b?c=d", "http://other/b?c=d"), ("/b/c", "https://h:1/b/c"),
    ("d", "https://h:1/a/d"), ("//other/b", "https://other/b"), ("?x", "https://h:1/a/?x"),
    ("https://other/b/", "https://other/b/"),
  ]) func `redirects are followed`(location: String, expected: String) throws {
    let url = try RemoteURL("https://h:1/a/b")
    if location.hasPrefix("http://") {
      #expect(throws: Fault.self) { try url.redirected(to: location) }
    } else {
      #expect(try url.redirected(to: location).requested == expected)
    }
  }

  @Test(
    arguments: [
      ("file:///a/b.zarr", "/a/b.zarr"), ("FILE:///a", "/a"), ("file://localhost/a", "/a"),
      ("file:///a%20b/%C3%BC%25.zarr", "/a b/ü%.zarr"), ("file:///100%.zarr", "/100%.zarr"),
      ("file:///a%2Fb", "/a/b"), ("file:///a%00b", nil), ("/a%20b", nil), ("http://h/a", nil),
    ] as [(String, String?)])
  func `URLs of this machine are decoded to paths`(uri: String, path: String?) {
    #expect(fileURLPath(uri) == path)
  }

  @Test(arguments: ["file:///etc/passwd", "gopher://h/", "javascript:x", "data:,x", "http://"])
  func `redirects lead to servers only`(location: String) throws {
    let url = try RemoteURL("http://h/a")
    do {
      _ = try url.redirected(to: location)
      Issue.record("it is followed")
    } catch { #expect(error.kind == .path) }
  }
}

@Suite struct HTTPAnswerTests {
  @Test(
    arguments: [
      ("bytes 0-99/1000", 0..<100, 1000), ("bytes 5-5/*", 5..<6, nil), ("bytes */0", nil, 0),
      ("Bytes 1-2/3", 1..<3, 3),
    ] as [(String, Range<Int>?, Int?)]) func `content ranges are read`(
      text: String, range: Range<Int>?, size: Int?
    ) throws
  {
    let read = try #require(ContentRange(text))
    #expect(read.range == range)
    #expect(read.size == size)
  }

  @Test(arguments: [
    "", "bytes", "bytes 1-0/5", "bytes 0-5/5", "bytes -1-2/5", "bytes 0-1", "bytes */*",
    "bytes 0-9223372036854775807/*", "bytes 0-99999999999999999999/*", "items 0-1/2", "bytes a-b/c",
  ]) func `other content ranges are none`(text: String) {
    #expect(ContentRange(text) == nil)
  }

  @Test func `the last head counts, and of a header the first line`() {
    var answer = HTTPAnswer()
    for line in [
      "HTTP/1.1 100 Continue\r\n", "ETag: \"old\"\r\n", "\r\n", "HTTP/1.1 206 Partial\r\n",
      "etag:  \"new\" \r\n", "ETag: \"other\"\r\n", "Content-Length: 12\r\n", "nonsense\r\n",
    ] { answer.take(Array(line.utf8)) }
    #expect(answer.status == 206)
    #expect(answer["etag"] == "\"new\"")
    #expect(answer.contentLength == 12)
  }

  @Test func `weak tags are those of the same state`() {
    let weak = HTTPAnswer.Validator(tag: "W/\"a\"", date: nil)
    let strong = HTTPAnswer.Validator(tag: "\"a\"", date: nil)
    #expect(weak.fits(strong))
    #expect(weak.number == strong.number)
    #expect(!weak.fits(HTTPAnswer.Validator(tag: "\"b\"", date: nil)))
  }

  @Test func `a body over its limit is longer than that`() {
    let body = HTTPBody(.whole(limit: 3))
    var answer = HTTPAnswer()
    answer.take(Array("HTTP/1.1 200 OK".utf8))
    #expect(body.begin(answer))
    let isWanted = [UInt8](repeating: 1, count: 9).withUnsafeBytes { body.take($0, status: 200) }
    #expect(!isWanted)
    #expect(body.lengthSeen == 4)
  }

  @Test(arguments: [
    ("512-643/*", true), ("512-643/644", true), ("0-99/*", true), ("0-99/100", true),
    ("512-600/*", false), ("512-700/*", false), ("512-643/700", false), ("1-99/*", false),
  ])
  func `the last bytes tell the size where the server does not`(part: String, isTaken: Bool) {
    let body = HTTPBody(.end(132))
    var answer = HTTPAnswer()
    answer.take(Array("HTTP/1.1 206 Partial".utf8))
    answer.take(Array("Content-Range: bytes \(part)".utf8))
    #expect(body.begin(answer) == isTaken)
    let end = part.split(separator: "/")[0].split(separator: "-").last.flatMap { Int($0) }
    #expect(body.size == (isTaken ? end.map { $0 + 1 } : nil))
  }

  @Test func `elements of answers are read`() throws {
    let text = """
      <?xml version="1.0"?><List xmlns="u"><IsTruncated>true</IsTruncated>
      <Contents><Key>a&amp;b/&#x63;</Key><Size>1</Size></Contents>
      <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><Prefix/></List>
      """
    let elements = try XMLElements(Array(text.utf8), subject: "list")
    #expect(elements.text("IsTruncated") == "true")
    #expect(elements.texts("Key", in: "Contents") == ["a&b/c"])
    #expect(elements.texts("Prefix", in: "CommonPrefixes") == ["p/"])
  }

  @Test(arguments: [
    "<a>", "</a>", "<a></b>", "<!DOCTYPE x><a/>", "<a", "<a>&boom;</a><b", "<>x</>",
  ])
  func `what is no XML is refused`(text: String) {
    #expect(throws: Fault.self) { try XMLElements(Array(text.utf8), subject: "list") }
  }
}

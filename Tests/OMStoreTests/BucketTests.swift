import OMJSON
import Testing

@testable import OMStore

/// What is sent to a bucket.
@Suite struct BucketTests {
  private func settings() throws -> S3Settings {
    let variables = [
      "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
      "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      "AWS_REGION": "eu-west-1",
    ]
    return try S3Settings(variable: { variables[$0] }, file: { (_) throws(Fault) in nil })
  }

  private func server(_ uri: String = "s3://bucket/a b/image.zarr") throws -> S3Server {
    try S3Server(uri, settings())
  }

  @Test func `the signature of PUT is that of the documentation of S3`() {
    let signature = S3Signature(
      S3Credentials(
        keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
      region: "us-east-1", stamp: "20130524T000000Z")
    let digest = hexadecimal(sha256(Array("Welcome to Amazon S3.".utf8)))
    let made = signature.authorization(
      "PUT", path: "/test%24file.text", query: "",
      headers: [
        (name: "x-amz-date", value: "20130524T000000Z"),
        (name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
        (name: "date", value: "Fri, 24 May 2013 00:00:00 GMT"),
        (name: "host", value: "examplebucket.s3.amazonaws.com"),
        (name: "x-amz-content-sha256", value: digest),
      ], digest: digest)
    #expect(made.hasSuffix("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
  }

  @Test func `what is stored is signed with its digest and its conditions`() throws {
    let server = try server()
    let bytes = Array("{}".utf8)
    var request = HTTPRequest(.put, try server.url("labels/zarr.json"), payload: bytes)
    request.signed = Bucket.headers(bytes, .unchanged("\"abc\""))
    let headers = try server.credentials(request)
    let authorization = try #require(headers.last)
    #expect(headers.contains("x-amz-content-sha256: \(hexadecimal(sha256(bytes)))"))
    #expect(headers.contains("if-match: \"abc\""))
    #expect(
      authorization.contains(
        "SignedHeaders=host;if-match;x-amz-checksum-crc32c;x-amz-content-sha256;x-amz-date;"
          + "x-amz-sdk-checksum-algorithm,"))
    #expect(!headers.joined().contains("wJalr"))
    #expect(request.url.path == "/a%20b/image.zarr/labels/zarr.json")
  }

  @Test func `nothing is signed for another host`() throws {
    let server = try server()
    var request = HTTPRequest(.put, try RemoteURL("https://elsewhere.example/x"), payload: [1])
    request.signed = Bucket.headers([1], .absent)
    #expect(try server.credentials(request).isEmpty)
  }

  @Test func `checksums are those of the published examples`() {
    // CRC-32C of 123456789 is E3069283.
    #expect(Bucket.checksum(Array("123456789".utf8)) == "4waSgw==")
    #expect(Bucket.checksum([]) == "AAAAAA==")
  }

  @Test func `parts of a large file are few and not small`() {
    #expect(Bucket.partSize(65 << 20) == 16 << 20)
    let largest = 5 << 40
    #expect((largest + Bucket.partSize(largest) - 1) / Bucket.partSize(largest) <= 10_000)
    #expect(Bucket.partSize(largest) <= 5 << 30)
  }

  @Test func `parts are listed as XML that S3 reads`() throws {
    let parts = [
      Bucket.Part(tag: "\"a&b\"", checksum: "4waSgw=="),
      Bucket.Part(tag: "\"c\"", checksum: "x"),
    ]
    let read = try XMLElements(Array(Bucket.list(of: parts).utf8), subject: "list")
    #expect(read.texts("PartNumber", in: "Part") == ["1", "2"])
    #expect(read.texts("ETag", in: "Part") == ["\"a&b\"", "\"c\""])
    #expect(read.texts("ChecksumCRC32C", in: "Part") == ["4waSgw==", "x"])
  }

  @Test(arguments: [
    (409, "ConditionalRequestConflict"), (503, "SlowDown"), (400, "BadDigest"),
    (400, "XAmzContentSHA256Mismatch"),
  ]) func `what may pass is tried again`(status: Int, code: String) throws {
    guard case .busy = try meaning(status, code) else {
      Issue.record("\(code) is not tried again")
      return
    }
  }

  @Test func `conditions that a server does not know are unsupported`() throws {
    guard case .refused(let fault) = try meaning(501, "NotImplemented") else {
      Issue.record("it is not refused")
      return
    }
    #expect(fault.kind == .unsupported)
  }

  private func meaning(_ status: Int, _ code: String) throws -> AnswerMeaning {
    var answer = HTTPAnswer()
    answer.take(Array("HTTP/1.1 \(status) x\r\n".utf8))
    let server = try server()
    return server.meaning(
      answer, Array("<Error><Code>\(code)</Code></Error>".utf8), of: "key",
      at: try server.url("key"))
  }
}

import OMJSON
import Testing

@testable import OMStore

/// The examples of Amazon's "Signature Version 4 test suite" and of the documentation of S3.
@Suite struct S3SignatureTests {
  private static let suite = S3Signature(
    S3Credentials(keyID: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1", service: "service", stamp: "20150830T123600Z")

  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let path: String
    let query: String
    let signature: String
    var testDescription: String { name }
  }

  @Test(arguments: [
    Case(
      name: "get-vanilla", path: "/", query: "",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Case(
      name: "get-vanilla-query-order-key-case", path: "/", query: "Param2=value2&Param1=value1",
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    Case(
      name: "get-utf8", path: "/%E1%88%B4", query: "",
      signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    Case(
      name: "get-unreserved",
      path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", query: "",
      signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
  ]) func `signatures are those of the published suite`(example: Case) {
    let made = Self.suite.authorization(
      "GET", path: example.path, query: example.query,
      headers: [("x-amz-date", "20150830T123600Z"), ("host", "example.amazonaws.com")],
      digest: S3Signature.emptyDigest)
    #expect(
      made == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=host;x-amz-date, Signature=\(example.signature)")
  }

  private static let s3 = S3Signature(
    S3Credentials(
      keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1", stamp: "20130524T000000Z")

  @Test func `signatures are those of the documentation of S3`() {
    var headers = [
      (name: "host", value: "examplebucket.s3.amazonaws.com"), (name: "range", value: "bytes=0-9"),
      (name: "x-amz-content-sha256", value: S3Signature.emptyDigest),
      (name: "x-amz-date", value: "20130524T000000Z"),
    ]
    let object = Self.s3.authorization(
      "GET", path: "/test.txt", query: "", headers: headers, digest: S3Signature.emptyDigest)
    #expect(
      object.hasSuffix("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"))
    headers.remove(at: 1)
    let list = Self.s3.authorization(
      "GET", path: "/", query: "max-keys=2&prefix=J", headers: headers,
      digest: S3Signature.emptyDigest)
    #expect(list.hasSuffix("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
  }

  @Test func `keyed digests are those of RFC 4231`() {
    #expect(
      hexadecimal(hmac(Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(
      hexadecimal(
        hmac(
          [UInt8](repeating: 0xAA, count: 131),
          Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
        == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }
}

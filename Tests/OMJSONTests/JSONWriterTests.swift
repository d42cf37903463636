import OMJSON
import Testing

@Suite struct JSONWriterTests {
  @Test func `an indented document looks as Python writes it`() {
    let document: JSON = ["shape": [1, 2], "empty": [], "none": [:], "codec": ["name": "bytes"]]
    #expect(
      document.text(indent: 2) == """
        {
          "shape": [
            1,
            2
          ],
          "empty": [],
          "none": {},
          "codec": {
            "name": "bytes"
          }
        }
        """)
  }

  @Test func `only what JSON demands is escaped`() {
    let text = "a\"b\\c/\n\r\t\u{1}\u{1f}\u{7f}é😀"
    #expect(JSON.string(text).text() == #""a\"b\\c/\n\r\t\u0001\u001f"# + "\u{7f}é😀\"")
  }

  @Test(arguments: [nil, 0, 4])
  func `every string can be read back`(indent: Int?) throws {
    let scalars = (0..<0x300).compactMap(Unicode.Scalar.init).map { JSON.string(String($0)) }
    let document: JSON = ["all": .array(scalars), "\u{0}key\"": 1]
    #expect(try JSON(parsing: document.bytes(indent: indent), subject: "x") == document)
  }
}

@Suite struct SHA256Tests {
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `digests are those of the standard`(text: String, digest: String) {
    #expect(hexadecimal(sha256(Array(text.utf8))) == digest)
  }

  @Test func `a million letters in uneven pieces give the digest of the standard`() {
    var digest = SHA256()
    // Pieces of 1, 2, 3, ... letters add up to nearly a million.
    for size in 1...1413 { digest.update(Array(repeating: UInt8(ascii: "a"), count: size)) }
    digest.update(Array(repeating: UInt8(ascii: "a"), count: 1_000_000 - 1413 * 1414 / 2))
    #expect(
      hexadecimal(digest.finish())
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }
}

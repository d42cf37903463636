import Testing

@testable import OMJSON

@Suite struct LimitsTests {
  @Test func `the defaults are those of the documents`() {
    let limits = Limits()
    #expect((limits.metadata, limits.jsonDepth) == (16 << 20, 64))
    #expect((limits.axes, limits.chunk) == (32, 2 << 30))
    #expect((limits.shardIndex, limits.zstdWindow) == (256 << 20, 128 << 20))
    #expect((limits.encodedChunk, limits.files) == (1.1, 10_000_000))
  }

  @Test func `a document of the largest size is read, one byte more is not`() throws {
    let most = Limits().metadata
    let bytes =
      Array("[\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: most - 4) + Array("\"]".utf8)
    #expect(try JSON(parsing: bytes, subject: "a").arrayValue?.count == 1)
    do throws(Fault) {
      _ = try JSON(parsing: bytes + [0x20], subject: "a")
      Issue.record("a document of \(most + 1) bytes was read")
    } catch {
      #expect(error.kind == .limit && error.message.contains("\(most)"))
      #expect(error.hint?.contains("--limit metadata=") == true)
    }
  }

  @Test(arguments: ["[", "{\"a\":"])
  func `the deepest nesting is read, one more level is not`(opening: String) throws {
    let closing = opening == "[" ? "]" : "}"
    let nested = { (depth: Int) in
      Array(
        (String(repeating: opening, count: depth - 1) + (opening == "[" ? "[]" : "{}")
          + String(repeating: closing, count: depth - 1)).utf8)
    }
    _ = try JSON(parsing: nested(64), subject: "a")
    do throws(Fault) {
      _ = try JSON(parsing: nested(65), subject: "a")
      Issue.record("65 levels were read")
    } catch {
      #expect(error.kind == .limit && error.message.contains("64"))
      #expect(error.hint?.contains("--limit json-depth=") == true)
    }
  }
}

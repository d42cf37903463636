import Testing

@testable import OMExternal

@Suite struct ChildLogTests {
  @Test func `a log keeps its beginning and its end`() {
    var log = ChildLog()
    log.add(Array("begin\n".utf8))
    for _ in 0..<4000 { log.add([UInt8](repeating: 120, count: 999) + [10]) }
    log.add(Array("end\n".utf8))
    let text = String(decoding: log.bytes, as: UTF8.self)
    #expect(text.hasPrefix("begin\n") && text.hasSuffix("end\n"))
    #expect(text.contains("bytes are left out"))
    #expect(log.bytes.count < 1 << 20)
    #expect(log.lastLines(1) == ["end"])
  }

  @Test func `the last lines are those that say something`() {
    var log = ChildLog()
    log.add(Array("one\ntwo \u{1b}[31mred\n\n   \n".utf8))
    #expect(log.lastLines(3) == ["one", "two  [31mred"])
    #expect(ChildLog().lastLines(3).isEmpty)
  }
}

import Glibc
import OMJSON
import Testing

@testable import OMExternal

@Suite struct ChildProcessTests {
  @Test func `a program is told by lines and answers in lines`() throws {
    let talk = try conversation("while read -r line; do echo \"{\\\"got\\\":$line}\"; done")
    for number in 1...3 {
      let answer = try talk.ask([JSON(number)], sign: {}) { $0["got"]?.intValue == number }
      #expect(answer["got"] == JSON(number))
    }
    talk.finish()
    #expect(talk.child.ending(within: 0) != nil)
  }

  @Test(arguments: [
    ("exit 3", "ended with exit code 3 before it answered"),
    ("kill -9 $$", "was ended by KILL before it answered"),
    ("echo hello", "printed `hello`"), ("echo '[1]'", "printed `[1]`"),
    ("printf 'a\\tb\\n'", "printed `a b`"),
    ("echo '{\"error\":\"no cells\"}'", "says: no cells"), ("echo '{\"x\":1}'", "which is not"),
    // What it started holds its pipes open.
    ("sleep 30 & exit 4", "ended with exit code 4"),
  ])
  func `what goes wrong is one sentence`(script: String, says: String) throws {
    let talk = try conversation("read -r line; \(script)")
    #expect {
      try talk.ask(["x"], sign: {}) { $0["answer"] != nil }
    } throws: { error in
      let fault = error as? Fault
      return fault?.kind == .program && fault?.message.contains(says) == true
    }
  }

  @Test func `silence is borne for so long, and signs of life count`() throws {
    var signs = 0
    let talk = try conversation(
      "for i in 1 2 3; do sleep 0.2; echo '{\"alive\":true}'; done; sleep 30", patience: 0.5)
    #expect {
      try talk.ask(["x"], sign: { signs += 1 }) { _ in true }
    } throws: { ($0 as? Fault)?.kind == .stalled }
    #expect(signs == 3)
  }

  @Test func `words arrive as they are and files as 3 and 4`() throws {
    let words = ["two words", "$(id)", "; x", "", "a\nb"]
    let (one, two) = (try MemoryFile("one"), try MemoryFile("two"))
    try two.makeRoom(count: 4)
    let text: [UInt8] = [7, 8, 9]
    try text.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      try one.fill(start, count: bytes.count)
    }
    let script =
      "cat /dev/fd/3 1<>/dev/fd/4; printf '{\"words\":%d,\"last\":\"%s\"}\\n' $# \"$1\"; ls /proc/$$/fd >&2"
    let child = try ChildProcess(
      ["/bin/sh", "-c", script, "sh"] + words, ["PATH=/usr/bin:/bin"],
      files: [one.descriptor, two.descriptor])
    let talk = Conversation(child, name: "words", patience: 10)
    let answer = try talk.ask([], sign: {}) { _ in true }
    #expect(answer["words"] == 5 && answer["last"] == "two words")
    talk.finish()
    #expect(two.currentSize() == 4)
    var made = [UInt8](repeating: 1, count: 4)
    try made.withUnsafeMutableBytes { room in
      guard let start = room.baseAddress else { return }
      try two.read(into: start, count: 4)
    }
    #expect(made == [7, 8, 9, 0])
  }

  @Test func `a child that goes away takes what it started with it`() throws {
    let talk = try conversation("sleep 60 & echo \"{\\\"pid\\\":$!}\"; sleep 60")
    let number = try talk.ask([], sign: {}) { $0["pid"] != nil }["pid"]?.intValue ?? 0
    #expect(kill(pid_t(number), 0) == 0)
    talk.child.kill()
    for _ in 0..<200 where !isGone(number) { usleep(10_000) }
    #expect(isGone(number))
  }

  @Test func `a program that is not there is a mistake of the manifest`() {
    #expect {
      _ = try ChildProcess(["/no/such/program"], [], files: [])
    } throws: { ($0 as? Fault)?.kind == .manifest }
  }

  private func conversation(_ script: String, patience: Double = 20) throws -> Conversation {
    let child = try ChildProcess(
      ["/bin/sh", "-c", script], ["PATH=/usr/bin:/bin"], files: [])
    return Conversation(child, name: "test", patience: patience)
  }

  /// Whether a process is gone, or waits only for somebody who asks for its end.
  private func isGone(_ number: Int) -> Bool {
    guard let file = fopen("/proc/\(number)/stat", "r") else { return true }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, 256, file) != nil else { return true }
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return text.contains(") Z")
  }
}

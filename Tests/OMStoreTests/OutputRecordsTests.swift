import Glibc
import OMJSON
import Testing

@testable import OMStore

@Suite struct OutputRecordsTests {
  let folder = TemporaryFolder()

  @Test func `a journal grows at its end, also when it is opened again`() throws {
    let output = try folder.output()
    for bytes in [[1, 2], [], [3]] as [[UInt8]] {
      let journal = try output.append(to: "run/journal.0")
      try journal.append(bytes)
      try journal.sync()
    }
    #expect(try output.read("run/journal.0", limit: 3) == [1, 2, 3])
  }

  @Test func `of two that take the same name one is told so`() throws {
    let output = try folder.output()
    try output.write("a", [1])
    try output.write("b", [2])
    try output.link("a", as: "lock")
    expectFault(.exists, "\(folder.path)/lock", "EEXIST") {
      () throws(Fault) in try output.link("b", as: "lock")
    }
    #expect(try output.read("lock", limit: 1) == [1])
  }

  @Test func `touching a file changes its stamp but not its size`() throws {
    let output = try folder.output()
    try output.write("a", [1])
    let before = try #require(try output.stamp("a"))
    usleep(20_000)
    try output.touch("a")
    let after = try #require(try output.stamp("a"))
    #expect(after.modified > before.modified)
    #expect(after.size == before.size)
    #expect(try output.stamp("absent") == nil)
  }

  @Test func `waiting for the disk names what cannot be waited for`() throws {
    let output = try folder.output()
    try output.write("a/b", [1])
    try output.sync("a/b")
    try output.sync("a")
    try output.sync()
    expectFault(.missing, "\(folder.path)/a/x", "waiting for the disk") {
      () throws(Fault) in try output.sync("a/x")
    }
  }
}

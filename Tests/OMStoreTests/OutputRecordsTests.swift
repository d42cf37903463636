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

/// The umask belongs to the whole process, so this runs in processes of its own.
@Suite struct ModeTests {
  @Test func `modes follow a narrow umask`() async {
    await #expect(processExitsWith: .success) {
      try checkModes(umask: 0o077, file: 0o600, folder: 0o700)
    }
  }

  @Test func `modes follow a wide umask`() async {
    await #expect(processExitsWith: .success) {
      try checkModes(umask: 0o002, file: 0o664, folder: 0o775)
    }
  }

  @Test func `folders inherit the group of a setgid folder`() async {
    await #expect(processExitsWith: .success) {
      let folder = TemporaryFolder()
      chmod(folder.path, 0o2775)
      try folder.output().write("a/b", [1])
      precondition(folder.mode("a") & 0o2000 == 0o2000)
    }
  }
}

/// Ends the process when new files and folders have other modes.
private func checkModes(umask mask: mode_t, file: mode_t, folder expected: mode_t) throws {
  umask(mask)
  let folder = TemporaryFolder()
  let output = try folder.output()
  try output.write(".omtask/run/out/a", [1])
  try output.append(to: "journal").append([1])
  precondition(folder.mode(".omtask/run/out/a") == file)
  precondition(folder.mode(".omtask") == expected)
  precondition(folder.mode("journal") == 0o640 & ~mask)
}

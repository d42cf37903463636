import Glibc
import Testing

@testable import OMStore

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
  precondition(folder.mode(".omtask/run/out/a") == file)
  precondition(folder.mode(".omtask") == expected)
}

import OMJSON
import Testing

@testable import OMStore

@Suite struct FileSystemTests {
  private let table = """
    22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
    30 22 0:25 / /dev/shm rw - tmpfs shm rw
    31 22 0:26 / /data rw shared:2 master:1 - nfs4 server:/x rw,vers=4.2
    32 31 0:27 / /data/with\\040blank rw - fuse.sshfs me@there: rw
    33 22 0:28 / /data rw - lustre over rw
    broken line
    """

  @Test(arguments: [
    ("/", "ext4"), ("/home/me", "ext4"), ("/dev/shm", "tmpfs"), ("/dev/shmoo", "ext4"),
    // What was mounted later lies on top.
    ("/data/a", "lustre"), ("/data/with blank/b", "fuse.sshfs"),
  ])
  func `the type is that of the mount that lies nearest`(path: String, type: String) {
    #expect(FileSystem.mountType(of: path, in: table) == type)
  }

  @Test func `a table that says nothing names nothing`() {
    #expect(FileSystem.mountType(of: "/", in: "") == nil)
  }

  @Test(arguments: [
    ("nfs4", FileSystem.Reach.shared), ("xfs", .machine), ("tmpfs", .memory),
    ("overlay", .container), ("0xabc", .unknown),
  ])
  func `it is known who sees a file system`(name: String, reach: FileSystem.Reach) {
    #expect(FileSystem(name: name, freeBytes: 0, freeFiles: nil).reach == reach)
  }

  @Test func `a folder is tried out and left as it was`() throws {
    let folder = TemporaryFolder()
    let probe = try FolderProbe(folder.path)
    #expect(probe.replaces && probe.isExclusive && probe.links && probe.tellsCase)
    #expect(probe.locksWhole && probe.locksParts)
    #expect(probe.syncMilliseconds.count == 5)
    #expect(probe.syncMilliseconds == probe.syncMilliseconds.sorted())
    #expect(try OutputFolder(path: folder.path).list().isEmpty)
    #expect(try #require(FileSystem(of: folder.path)).freeBytes > 0)
  }

  @Test func `what is not there is a fault`() {
    #expect(throws: Fault.self) { try FolderProbe("/nowhere/at/all") }
    #expect(throws: Fault.self) { try LocalPlace.folder(around: "/nowhere/at/all") }
  }

  @Test func `a file leads to the folder around it`() throws {
    #expect(try LocalPlace.folder(around: "/proc/self/status") == "/proc/self")
    #expect(try LocalPlace.folder(around: "file:///proc") == "/proc")
    #expect(try LocalPlace.folder(around: "/proc/cpuinfo") == "/proc")
  }
}

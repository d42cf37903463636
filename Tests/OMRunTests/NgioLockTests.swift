import Glibc
import OMStore
import Testing

@testable import OMRun

@Suite struct NgioLockTests {
  let folder = ImageFolder()

  @Test func `the files are those that ngio made for a plate and a well of it`() {
    #expect(NgioLock.files(root: "/p.zarr", group: "") == ["/p.zarr.ngio-locks/root.lock"])
    #expect(
      NgioLock.files(root: "/p.zarr", group: "B/0 3") == [
        "/p.zarr.ngio-locks/B%2F0%203.lock", "/p.zarr/B.ngio-locks/0%203.lock",
        "/p.zarr/B/0 3.ngio-locks/root.lock",
      ])
  }

  @Test func `only files that are there are locked, and none are made`() throws {
    #expect(NgioLock.acquire(root: folder.path + "/p.zarr", group: "B/03").isEmpty)
    folder.put("p.zarr.ngio-locks/B%2F03.lock", "")
    #expect(try folder.output().list() == ["p.zarr.ngio-locks"])
    #expect(NgioLock.acquire(root: folder.path + "/p.zarr", group: "B/03").count == 1)
  }

  @Test func `the lock of another program is waited for, not for ever`() throws {
    folder.put("lock", "")
    // Children of other tests must not keep it open.
    let theirs = open(folder.path + "/lock", O_RDWR | O_CLOEXEC)
    #expect(flock(theirs, LOCK_EX) == 0)
    #expect(AdvisoryLock.acquire(folder.path + "/lock", patience: 0.1) == nil)
    close(theirs)
    let ours = try #require(AdvisoryLock.acquire(folder.path + "/lock", patience: 10))
    let other = open(folder.path + "/lock", O_RDWR | O_CLOEXEC)
    withExtendedLifetime(ours) { #expect(flock(other, LOCK_EX | LOCK_NB) != 0) }
    close(other)
  }
}

import Glibc
import OMJSON
import Testing

@testable import OMStore

@Suite struct StaleLockTests {
  let folder = TemporaryFolder()

  @Test func `the lock of a process that has ended is removed, with one warning`() throws {
    let holder = try deadHolder()
    folder.putLock(holder)
    let warnings = try folder.take()
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("left by process \(holder.process) on") == true)
    #expect(try folder.output().list() == [])
  }

  @Test func `a process with the number of one that has ended is another`() throws {
    folder.putLock(someHolder(started: 1))
    #expect(try folder.take().count == 1)
  }

  @Test func `the lock of a process that runs here is never removed, however old`() throws {
    folder.putLock(someHolder(), age: 7200)
    #expect(throws: Fault.self) { try folder.take(patience: 0.1) }
    #expect(try folder.output().list() == ["lock"])
  }

  @Test func `a lock of several processes is left when all of them have ended`() throws {
    let mixed = try deadHolder().joined(with: [deadHolder(), someHolder()])
    folder.putLock(mixed, age: 7200)
    #expect(throws: Fault.self) { try folder.take(patience: 0.1) }
    folder.putLock(try deadHolder().joined(with: [deadHolder()]))
    #expect(try folder.take().count == 1)
  }

  @Test(arguments: [(-3600.0, false), (0, false), (45, false), (61, true), (1e6, true)])
  func `a lock from elsewhere is left after 60 s without a sign of life`(age: Double, isLeft: Bool)
    throws
  {
    folder.putLock(someHolder(host: "n7"), age: age)
    let state = try #require(try FileLock.look("lock", in: folder.output()))
    #expect(state.isStale == isLeft)
    if isLeft {
      #expect(try folder.take().count == 1)
    } else {
      #expect(throws: Fault.self) { try folder.take(patience: 0.1) }
    }
  }

  @Test func `processes elsewhere cannot be seen to have ended`() throws {
    let mixed = try deadHolder().joined(with: [someHolder(99999, host: "n7")])
    folder.putLock(mixed, age: 10)
    #expect(throws: Fault.self) { try folder.take(patience: 0.1) }
    folder.putLock(mixed, age: 100)
    #expect(try folder.take().count == 1)
  }

  @Test(arguments: ["", "{", "[]", #"{"since": 1, "machines": []}"#, "\u{0}\u{0}"])
  func `a lock that does not name its holder is left after 60 s`(text: String) throws {
    folder.put("lock", Array(text.utf8))
    expectFault(.locked, "\(folder.path)/lock", "held by somebody unknown, last seen 0 s ago") {
      () throws(Fault) in
      try FileLock.acquire("lock", in: folder.outputFolder(), patience: 0)
    }
    folder.setAge("lock", 61)
    #expect(try folder.take().count == 1)
  }

  @Test func `a lock larger than any holder is left after 60 s`() throws {
    folder.put("lock", [UInt8](repeating: 0x20, count: 1 << 20 + 1))
    #expect(throws: Fault.self) { try folder.take(patience: 0) }
    folder.setAge("lock", 61)
    #expect(try folder.take().count == 1)
  }

  @Test func `what others left beside the lock is removed, but nothing of who still waits`() throws
  {
    folder.putLock("lock.1", try deadHolder())
    folder.putLock("lock.2", someHolder(host: "n7"), age: 100)
    folder.putLock("lock.3", someHolder(host: "n7"))
    folder.putLock("lock.broken.4", try deadHolder())
    folder.putLock("lock5", someHolder(host: "n7"), age: 100)
    #expect(try folder.take() == [])
    #expect(try folder.output().list() == ["lock.3", "lock5"])
  }

  @Test func `a holder is the same after writing and reading`() throws {
    let holder = someHolder(job: LockJob(id: "7@big", restarts: 2))
      .joined(with: [someHolder(host: "n7"), someHolder(77), someHolder(77)])
    #expect(holder.machines.map(\.processes.count) == [2, 1])
    #expect(LockHolder(bytes: holder.json.bytes()) == holder)
    #expect(!LockHolder.thisProcess().hasEnded)
    #expect(LockHolder.thisProcess().isAlive)
  }
}

@Suite struct DisplacedLockTests {
  let folder = TemporaryFolder()

  @Test func `a lock aside that is alive still holds, and is put back`() throws {
    let lock = try FileLock.acquire("lock", in: folder.output(), patience: 0)
    #expect(rename(folder.path + "/lock", folder.path + "/lock.broken.1") == 0)
    #expect(throws: Fault.self) { try folder.take(patience: 0.1) }
    #expect(try folder.output().list() == ["lock"])
    #expect(lock.isHeld())
  }

  @Test func `its owner puts it back before the next step`() throws {
    let lock = try FileLock.acquire("lock", in: folder.output(), patience: 0)
    #expect(rename(folder.path + "/lock", folder.path + "/lock.broken.1") == 0)
    #expect(lock.isHeld())
    #expect(folder.inode("lock") == folder.inode("lock.broken.1"))
    lock.release()
    #expect(try folder.output().list() == [])
  }

  @Test func `its owner gives it back where it lies`() throws {
    let lock = try FileLock.acquire("lock", in: folder.output(), patience: 0)
    #expect(rename(folder.path + "/lock", folder.path + "/lock.broken.1") == 0)
    lock.release()
    #expect(try folder.output().list() == [])
  }

  @Test func `a lock that another took is no longer held, and is not touched`() throws {
    let lock = try FileLock.acquire("lock", in: folder.output(), patience: 0)
    try folder.output().removeTree("lock")
    folder.putLock(someHolder(host: "n7"))
    let other = folder.inode("lock")
    #expect(!lock.isHeld())
    lock.release()
    #expect(try folder.output().list() == ["lock"])
    #expect(folder.inode("lock") == other)
  }

  @Test func `a lock that was renewed or replaced since it was judged is put back`() throws {
    for isReplaced in [false, true] {
      folder.putLock(someHolder(host: "n7"), age: 100)
      let place = LockPlace(folder: try folder.output(), name: "lock")
      let found = try #require(try place.folder.findLockFile("lock"))
      if isReplaced { try place.folder.removeTree("lock") }
      folder.putLock(someHolder(host: "n8"))
      let inode = folder.inode("lock")
      #expect(try !place.breakLock(found))
      #expect(folder.inode("lock") == inode)
      #expect(try folder.output().list() == ["lock"])
    }
  }

  @Test func `of two who break the same lock one does`() throws {
    folder.putLock(someHolder(host: "n7"), age: 100)
    let place = LockPlace(folder: try folder.output(), name: "lock")
    let first = try #require(try place.folder.findLockFile("lock"))
    let second = try #require(try place.folder.findLockFile("lock"))
    #expect(try place.breakLock(first))
    #expect(try !place.breakLock(second))
    #expect(try folder.output().list() == [])
  }
}

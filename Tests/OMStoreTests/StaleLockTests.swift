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
    folder.putLock("lock.after.4", try deadHolder())
    folder.putLock("lock.after.5", someHolder(host: "n7"))
    folder.putLock("lock5", someHolder(host: "n7"), age: 100)
    #expect(try folder.take() == [])
    #expect(try folder.output().list() == ["lock.3", "lock.after.5", "lock5"])
  }

  @Test func `a process that was killed before it said who it is goes by the name of its file`()
    throws
  {
    let dead = try deadHolder().machines[0].processes[0]
    let own = LockFileName.fresh("lock")
    let parts = own.split(separator: "-")
    let left = "\(parts[0])-\(String(dead.number, radix: 16))-\(parts[2])-1"
    let elsewhere = "lock.0-\(String(dead.number, radix: 16))-\(parts[2])-1"
    for name in [own, left, elsewhere] { folder.put(name, []) }
    #expect(try folder.take() == [])
    try FileLock.sweep("lock", in: folder.output())
    #expect(try folder.output().list() == [own, elsewhere].sorted())
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

@Suite struct ReplacedLockTests {
  let folder = TemporaryFolder()

  /// A lock that was left, as somebody found it.
  private func findLeft() throws -> FoundLockFile {
    folder.putLock(someHolder(host: "n7"), age: 100)
    return try #require(try folder.output().findLockFile("lock"))
  }

  private func place() throws -> LockPlace { LockPlace(folder: try folder.output(), name: "lock") }

  private func attempt() throws -> LockAttempt { try LockAttempt(place(), .thisProcess()) }

  private func now() throws -> Int { try place().serverTime() }

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

  @Test func `a lock that was renewed or replaced since it was judged stays`() throws {
    for isReplaced in [false, true] {
      let found = try findLeft()
      if isReplaced { try folder.output().removeTree("lock") }
      folder.putLock(someHolder(host: "n8"))
      let inode = folder.inode("lock")
      var late = try attempt()
      let finding = try late.replace(found, "lock", now())
      guard case .free = finding else { return #expect(Bool(false), "\(finding)") }
      late.withdraw()
      #expect(folder.inode("lock") == inode)
      #expect(try folder.output().list() == ["lock"])
    }
  }

  @Test func `of two who judged the same lock one replaces it`() throws {
    let found = [try findLeft(), try #require(try folder.output().findLockFile("lock"))]
    var first = try attempt()
    var second = try attempt()
    guard case .broken = try first.replace(found[0], "lock", now()) else {
      return #expect(Bool(false), "not replaced")
    }
    guard case .free = try second.replace(found[1], "lock", now()) else {
      return #expect(Bool(false), "replaced twice")
    }
    #expect(try first.take())
    #expect(try !second.take())
    second.withdraw()
    #expect(try folder.output().list() == ["lock"])
  }

  @Test func `while somebody replaces a lock that was left, nobody else does`() throws {
    let right = try place().right(toReplace: findLeft())
    folder.putLock(right, someHolder(host: "n8"))
    let inodes = [folder.inode("lock"), folder.inode(right)]
    #expect(throws: Fault.self) { try folder.take(patience: 0.1) }
    #expect([folder.inode("lock"), folder.inode(right)] == inodes)
    #expect(try folder.output().list() == ["lock", right])
  }

  @Test(arguments: [1, 2, 5])
  func `the right of who ended while replacing a lock passes on`(count: Int) throws {
    var found = try findLeft()
    var kept = [found]
    for _ in 0..<count {
      let right = try place().right(toReplace: found)
      folder.putLock(right, try deadHolder())
      found = try #require(try folder.output().findLockFile(right))
      kept.append(found)
    }
    #expect(try FileLock.look("lock", in: folder.output())?.isStale == true)
    #expect(try folder.take().count == 1)
    #expect(try folder.output().list() == [])
  }

  @Test func `sweeping removes what the dead left, but neither the lock nor rights to replace it`()
    throws
  {
    let right = try place().right(toReplace: findLeft())
    for name in [right, "lock.1", "lock.after.7"] { folder.putLock(name, try deadHolder()) }
    folder.putLock("lock.2", someHolder(host: "n7"))
    try FileLock.sweep("lock", in: folder.output())
    #expect(try folder.output().list().sorted() == ["lock", "lock.2", right].sorted())
  }
}

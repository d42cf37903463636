import Glibc
import OMJSON
import Synchronization
import Testing

@testable import OMStore

@Suite struct FileLockTests {
  let folder = TemporaryFolder()

  @Test func `a lock is one file for its owner and group, and nothing when it was given back`()
    throws
  {
    let lock = try FileLock.acquire("lock", in: folder.output(), patience: 0)
    #expect(try folder.output().list() == ["lock"])
    #expect(folder.mode("lock") & ~0o640 == 0)
    #expect(lock.isHeld())
    lock.release()
    #expect(!lock.isHeld())
    #expect(try folder.output().list() == [])
    lock.release()
  }

  @Test func `a lock is given back with its last reference`() throws {
    do { _ = try FileLock.acquire("lock", in: folder.output(), patience: 0) }
    #expect(try folder.output().list() == [])
  }

  @Test func `who comes second waits, then is told who holds the lock`() throws {
    let holder = someHolder(job: LockJob(id: "1234", restarts: 0))
    let lock = try FileLock.acquire("lock", in: folder.output(), holder: holder, patience: 0)
    let text =
      "the lock is held by process \(getpid()) on \(hostName()) (job 1234) since "
      + "2023-11-14 22:13:20 UTC, last seen 0 s ago; waited 0 s"
    expectFault(.locked, "\(folder.path)/lock", text) { () throws(Fault) in
      try FileLock.acquire("lock", in: folder.outputFolder(), patience: 0.2)
    }
    #expect(try folder.output().list() == ["lock"])
    #expect(lock.isHeld())
  }

  @Test func `who waits gets the lock when it is given back`() throws {
    let lock = try FileLock.acquire("lock", in: folder.output(), patience: 0)
    let thread = LaterThread { lock.release() }
    #expect(try folder.take(patience: 20) == [])
    thread.join()
  }

  @Test func `waiting ends when it is no longer wanted, and leaves nothing`() throws {
    let lock = try FileLock.acquire("lock", in: folder.output(), patience: 0)
    expectFault(.stopped, "", "no more") { () throws(Fault) in
      try FileLock.acquire(
        "lock", in: folder.outputFolder(), patience: 60,
        whileWaiting: { () throws(Fault) in throw Fault(.stopped, "", "no more") })
    }
    #expect(try folder.output().list() == ["lock"])
    lock.release()
  }

  @Test func `a folder that is removed while waiting ends the waiting`() throws {
    folder.putLock("run/lock", someHolder())
    let run = try folder.output().folder("run")
    expectFault(.missing, "\(folder.path)/run/lock", "while making the lock") {
      () throws(Fault) in
      try FileLock.acquire(
        "lock", in: run, patience: 60,
        whileWaiting: { () throws(Fault) in try folder.outputFolder().removeTree("run") })
    }
  }

  @Test func `the heartbeat renews every lock of this process`() throws {
    let lock = try FileLock.acquire("lock", in: folder.output(), patience: 0)
    folder.setAge("lock", 3600)
    LockHeartbeat.shared.beat()
    let state = try #require(try FileLock.look("lock", in: folder.output()))
    #expect(state.age < 60)
    lock.release()
    #expect(try FileLock.look("lock", in: folder.output()) == nil)
  }

  @Test func `looking tells the holder and leaves nothing`() throws {
    folder.putLock(someHolder(host: "n7"), age: 100)
    let state = try #require(try FileLock.look("lock", in: folder.output()))
    #expect(state.holder == someHolder(host: "n7"))
    #expect(state.isStale && (100..<130).contains(state.age))
    #expect(try folder.output().list() == ["lock"])
  }

  @Test(arguments: [false, true])
  func `a link in place of the lock is refused and its target untouched`(dangles: Bool) throws {
    if !dangles { folder.put("target", [5]) }
    folder.link("run/lock", to: "../target")
    let run = try folder.output().folder("run")
    expectFault(.path, "\(folder.path)/run/lock", "is a link") { () throws(Fault) in
      try FileLock.acquire("lock", in: run, patience: 1)
    }
    #expect(try run.list() == ["lock"])
    #expect(try folder.output().read("target", limit: 1) == (dangles ? nil : [5]))
  }

  @Test func `a folder or a pipe in place of the lock is refused`() throws {
    folder.put("lock/a", [1])
    #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
    for (name, text) in [("lock", "is a folder"), ("pipe", "is a pipe")] {
      expectFault(.io, "\(folder.path)/\(name)", text) { () throws(Fault) in
        try FileLock.acquire(name, in: folder.outputFolder(), patience: 1)
      }
    }
  }

  @Test func `a lock that is given back while others come is free after`() throws {
    let faults = Mutex<[String]>([])
    let threads = (0..<4).map { _ in
      LaterThread {
        do throws(Fault) {
          let output = try folder.outputFolder()
          for _ in 0..<300 {
            try FileLock.acquire("lock", in: output, patience: 20).release()
          }
        } catch { faults.withLock { $0.append(error.description) } }
      }
    }
    for thread in threads { thread.join() }
    #expect(faults.withLock { $0 } == [])
    #expect(try folder.output().list() == [])
  }

  @Test func `of many that want the lock one has it at a time, and all get it`() throws {
    folder.put("counter", Array("0".utf8))
    let faults = Mutex<[String]>([])
    let threads = (0..<6).map { _ in
      LaterThread {
        do throws(Fault) {
          let output = try folder.outputFolder()
          for _ in 0..<40 {
            let lock = try FileLock.acquire("lock", in: output, patience: 60)
            let bytes = try output.read("counter", limit: 100) ?? []
            let count = Int(String(decoding: bytes, as: UTF8.self)) ?? -1
            try output.write("counter", Array(String(count + 1).utf8))
            if !lock.isHeld() { faults.withLock { $0.append("lost the lock") } }
            lock.release()
          }
        } catch { faults.withLock { $0.append(error.description) } }
      }
    }
    for thread in threads { thread.join() }
    #expect(faults.withLock { $0 } == [])
    #expect(try folder.output().read("counter", limit: 100) == Array("240".utf8))
    #expect(try folder.output().list() == ["counter"])
  }
}

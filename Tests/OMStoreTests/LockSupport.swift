import Glibc
import OMJSON
import Synchronization
import Testing

@testable import OMStore

/// A holder whose process is `number`, started at `started`, on this machine or on another.
func someHolder(
  _ number: Int32 = getpid(), started: Int? = nil, host: String? = nil, job: LockJob? = nil
) -> LockHolder {
  let this = LockMachine.this
  let process = LockProcess(number: number, started: started ?? this.processes[0].started)
  let machine = LockMachine(
    host: host ?? this.host, boot: host == nil ? this.boot : "another-boot",
    processSpace: this.processSpace, processes: [process])
  return LockHolder(machines: [machine], job: job, since: 1_700_000_000)
}

/// The holder of a process that has ended.
func deadHolder() throws -> LockHolder {
  var child: pid_t = 0
  var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
  defer { free(arguments[0]) }
  try #require(posix_spawnp(&child, "true", nil, nil, &arguments, nil) == 0)
  var status: Int32 = 0
  #expect(waitpid(child, &status, 0) == child)
  return someHolder(child)
}

/// A thread that does something a little later.
final class LaterThread {
  private var thread = pthread_t()

  init(_ body: @escaping @Sendable () -> Void) {
    let job = Unmanaged.passRetained(LaterJob(body: body))
    let failed = pthread_create(
      &thread, nil,
      { argument in
        usleep(50_000)
        if let argument { Unmanaged<LaterJob>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, job.toOpaque())
    #expect(failed == 0)
  }

  func join() { pthread_join(thread, nil) }
}

private final class LaterJob: Sendable {
  let body: @Sendable () -> Void
  init(body: @escaping @Sendable () -> Void) { self.body = body }
}

extension TemporaryFolder {
  /// The folder opened for writing, where only faults may be thrown.
  func outputFolder() throws(Fault) -> OutputFolder { try OutputFolder(path: path) }

  /// Puts a lock's file there, `age` seconds old.
  func putLock(_ name: String, _ holder: LockHolder, age: Double = 0) {
    put(name, holder.json.bytes())
    setAge(name, age)
  }

  /// Puts a file named `lock` there, `age` seconds old.
  func putLock(_ holder: LockHolder, age: Double = 0) { putLock("lock", holder, age: age) }

  /// Makes a file `age` seconds old.
  func setAge(_ name: String, _ age: Double) { setTime(name, realTime() - Int(age * 1e9)) }

  /// Sets the time of a file, in nanoseconds.
  func setTime(_ name: String, _ time: Int) {
    let time = timespec(tv_sec: time / 1_000_000_000, tv_nsec: time % 1_000_000_000)
    let times = [time, time]
    #expect(utimensat(AT_FDCWD, path + "/" + name, times, AT_SYMLINK_NOFOLLOW) == 0)
  }

  /// Tries to take a lock and gives it back.
  func take(_ name: String = "lock", patience: Double = 0) throws -> [String] {
    let warnings = Mutex<[String]>([])
    let lock = try FileLock.acquire(
      name, in: output(), patience: patience,
      onBreak: { text in warnings.withLock { $0.append(text) } })
    #expect(lock.isHeld())
    lock.release()
    return warnings.withLock { $0 }
  }
}

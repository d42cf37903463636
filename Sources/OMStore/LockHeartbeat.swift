import Glibc
import Synchronization

/// The thread that shows, for all locks of this process, that their holder lives.
///
/// It starts with the first lock and stays. A process that is stopped or has ended beats no more.
final class LockHeartbeat: Sendable {
  /// Seconds between two signs of life.
  static let interval = 20.0
  /// The one of this process.
  static let shared = LockHeartbeat()

  private struct State {
    var files: [ObjectIdentifier: OwnLockFile] = [:]
    var hasThread = false
  }

  private let state = Mutex(State())

  /// Begins to show that the holder of a lock lives.
  func add(_ file: OwnLockFile) {
    let isFirst = state.withLock { state in
      state.files[ObjectIdentifier(file)] = file
      defer { state.hasThread = true }
      return !state.hasThread
    }
    if isFirst { begin() }
  }

  /// Ends that.
  func remove(_ file: OwnLockFile) {
    _ = state.withLock { $0.files.removeValue(forKey: ObjectIdentifier(file)) }
  }

  /// Shows it once, for all locks.
  func beat() {
    // A file server may keep us waiting, so not while others want the list.
    for file in state.withLock({ Array($0.files.values) }) {
      // What became of the lock is seen by its owner, before the next step that needs it.
      try? file.beat()
    }
  }

  private func begin() {
    // Signals are for the other threads.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let thread = startThread {
      while true {
        sleep(UInt32(Self.interval))
        Self.shared.beat()
      }
    }
    if let thread { pthread_detach(thread) } else { state.withLock { $0.hasThread = false } }
  }
}

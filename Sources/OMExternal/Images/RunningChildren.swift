import Glibc
import OMJSON
import Synchronization

/// The children that are at work, so that all can be ended at once.
final class RunningChildren: Sendable {
  private struct State {
    var processes: Set<Int32> = []
    var isOver = false
  }

  private let state = Mutex(State())

  /// Notes a child that was started.
  ///
  /// - Throws: A fault when all have been ended already; the child has to go, too.
  func add(_ process: Int32) throws(Fault) {
    let isOver = state.withLock { state in
      if !state.isOver { state.processes.insert(process) }
      return state.isOver
    }
    if isOver { throw Fault(.program, "", "the run is over") }
  }

  /// Forgets a child before it is waited for: from then on its number may be another's.
  func remove(_ process: Int32) { state.withLock { _ = $0.processes.remove(process) } }

  /// Ends all children and what they started, at once; any thread.
  func abandon() {
    state.withLock { state in
      state.isOver = true
      // Within the lock, so that none is waited for by its owner meanwhile.
      for process in state.processes { kill(-process, SIGKILL) }
    }
  }
}

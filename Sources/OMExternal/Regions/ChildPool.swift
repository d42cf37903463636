import Glibc
import OMJSON
import Synchronization

/// The children of a task, one for each worker that is at work; they live from image to image.
final class ChildPool: Sendable {
  private struct State {
    var idle: [Slot] = []
    var busySlots: Set<Int> = []
    /// The numbers of all processes that were started and not ended.
    var processes: Set<Int32> = []
    var isOver = false
  }

  /// A child with the number of the worker it has.
  private struct Slot: @unchecked Sendable {
    // Sendable by rule: who takes a slot out of the pool is the only one who uses its child.
    let number: Int
    let child: RegionChild
  }

  private let state = Mutex(State())

  /// Lends a child to a worker; a child that failed is ended.
  ///
  /// - Parameters:
  ///   - start: How a child is started, given the number of its worker.
  ///   - body: What the worker does with it.
  /// - Throws: What `body` throws, and what starting a child throws.
  func withChild(
    _ start: (Int) throws(Fault) -> RegionChild.Start,
    _ body: (RegionChild) throws(Fault) -> Void
  ) throws(Fault) {
    let slot = try take(start)
    do throws(Fault) {
      try body(slot.child)
    } catch {
      forget(slot)
      throw error
    }
    state.withLock { $0.idle.append(slot) }
  }

  private func take(
    _ start: (Int) throws(Fault) -> RegionChild.Start
  ) throws(Fault) -> Slot {
    if let slot = state.withLock({ $0.idle.popLast() }) { return slot }
    let number = state.withLock { state in
      let number = (0...).first { !state.busySlots.contains($0) } ?? 0
      state.busySlots.insert(number)
      return number
    }
    do throws(Fault) {
      let slot = Slot(number: number, child: try RegionChild(try start(number)))
      let isOver = state.withLock { state in
        state.processes.insert(slot.child.number)
        return state.isOver
      }
      if isOver { throw Fault(.program, "", "the run is over") }
      return slot
    } catch {
      state.withLock { _ = $0.busySlots.remove(number) }
      throw error
    }
  }

  private func forget(_ slot: Slot) {
    state.withLock { state in
      state.busySlots.remove(slot.number)
      state.processes.remove(slot.child.number)
    }
  }

  /// Lets all children end by themselves; no worker may be at work.
  func end() {
    let idle = state.withLock { state in
      defer { state.idle = [] }
      return state.idle
    }
    // All are told before the first is waited for.
    for slot in idle { slot.child.dismiss() }
    for slot in idle {
      slot.child.finish()
      forget(slot)
    }
  }

  /// Ends all children and what they started, at once; any thread.
  func abandon() {
    let processes = state.withLock { state in
      state.isOver = true
      return state.processes
    }
    for process in processes { kill(-process, SIGKILL) }
  }
}

import OMStore
import OMTask
import Synchronization

/// The rest of a walk is of no use, because another rank has failed meanwhile.
struct GivenUp: Error {}

/// Walks the pieces on threads of its own; each takes the next piece when it is free, so all stay
/// busy wherever the work lies.
package final class ThreadEngine: Engine, @unchecked Sendable {
  // Sendable by rule: workers[i] is only used by thread i of a walk, and walks do not overlap.
  package let communicator: any Communicator
  private let workers: [Worker]
  private let stop: StopSwitch

  /// Makes an engine.
  ///
  /// - Parameters:
  ///   - threads: How many threads, at least 1.
  ///   - communicator: The ranks around it.
  ///   - stop: Ends walks before their time.
  package init(
    threads: Int, communicator: any Communicator = SoloCommunicator(),
    stop: StopSwitch = StopSwitch()
  ) {
    workers = (0..<max(1, threads)).map { Worker(number: $0) }
    self.communicator = communicator
    self.stop = stop
    for worker in workers {
      let number = worker.number
      worker.scratch.sign = { stop.work.sign(worker: number) }
    }
  }

  package var workerCount: Int { workers.count }
  package var work: WorkLog { stop.work }

  package func closeReaders() -> ReadTotals {
    workers.reduce(into: ReadTotals()) { $0.add($1.closeReaders()) }
  }

  package func walk(
    _ pieces: Int, most: Int, name: @escaping @Sendable (Int) -> String,
    _ body: @Sendable (Int, Worker) throws -> Void
  ) throws {
    let meeting = work.meeting
    let next = Atomic<Int>(0)
    let failure = Mutex<(any Error)?>(nil)
    let stopped = Atomic<Bool>(false)
    inParallel(min(workers.count, pieces, max(1, most))) { number in
      while !stopped.load(ordering: .relaxed) {
        let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if piece >= pieces { return }
        do {
          try self.stop.check()
          if self.work.isGivenUp(meeting) { throw GivenUp() }
          self.work.begin(piece, worker: number, name: name)
          defer { self.work.end(worker: number) }
          try body(piece, self.workers[number])
        } catch {
          stopped.store(true, ordering: .relaxed)
          failure.withLock { if $0 == nil { $0 = error } }
          if !self.stop.isOn && !(error is GivenUp) { self.work.giveUp(meeting) }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
